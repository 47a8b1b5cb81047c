"""The driver in a cluster: it hands what kopf tells it to the use cases, and writes what comes of it into the objects' statuses."""
