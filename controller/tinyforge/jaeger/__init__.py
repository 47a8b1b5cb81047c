"""The Jaeger adapter: one trace by its id, over the v3 API of a Jaeger that `TINYFORGE_JAEGER_URL` names.

`tinyforge trace` calls it, and nothing that dispatches does: `tinyforge.telemetry` sends traces to a collector, here they are read back.
Nothing a Jaeger answers is trusted: it is whole, bounded in size and time, and of the right shape, or it is a `JaegerError`.

    client → answers → spans        address is what the setting is made of, and loads no HTTP client
"""
