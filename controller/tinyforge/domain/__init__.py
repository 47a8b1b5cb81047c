"""Pure decisions: values in, a value with its reason out.

Nothing here does I/O, reads a clock or writes a log, so every rule of the index can be tested without a server. Facts come in from the
adapters (`tinyforge.engine`, `tinyforge.index`), decisions go out to the use cases (`tinyforge.reconcile`).
"""
