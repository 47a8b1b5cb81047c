"""The driver for one machine without a cluster: manifests from a folder, loops of its own, an embedded PostgreSQL.

It decides nothing: it reads what is declared, calls the use cases (`tinyforge.reconcile`), and writes down what they found.
"""
