"""The HTTP port: `/healthz`, `/readyz` and `/metrics`, for whoever watches this process.

The drivers' verbs open it with `serving` and tell `Metrics` what happens. It asks nobody anything but what it is given: whether all is well
is a callable, and a number that somebody else keeps is a callable too. aiohttp's server is known here, and so is prometheus_client, which
nothing else of Tinyforge knows.

    server → answers → checks, exposition
       ├───→ metrics → host_metrics, workload_metrics, readings
       ├───→ bounded_server → bounds
       └───→ listening → address

Whoever reaches the port may send anything, any number of times, and as slowly as they like. What that may cost is in `bounds`.
"""
