"""The use cases: gather facts through ports, let the domain decide, act.

Drivers call these and write the outcome down; they decide nothing. Nothing here knows which PostgreSQL or Docker client is behind a port.
"""
