"""Labels of containers, as what starts them writes them."""


def belonging_to(stack: str, service: str, *, number: int = 1) -> dict[str, str]:
    """The labels of a service of the stack default/<stack>, as Docker Compose writes them."""
    return {
        "com.docker.compose.project": f"tinyforge-default_{stack}",
        "com.docker.compose.service": service,
        "com.docker.compose.container-number": str(number),
        "com.docker.compose.oneoff": "False",
    }
