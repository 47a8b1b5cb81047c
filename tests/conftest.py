"""The servers that tests ask for by the name of a fixture."""

pytest_plugins = [
    "tests.servers.docker_engine",
    "tests.servers.cutting_socket",  # imports the one above, which pytest must have seen first
    "tests.servers.bare_machine",
    "tests.servers.postgres",
    "tests.servers.kubernetes",
    "tests.servers.cluster",
    "tests.servers.api_proxy",
    "tests.servers.jaeger",
]
