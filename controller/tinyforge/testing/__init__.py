"""Tests that every plugin has to pass, for those who write one. They need pytest and nothing else; no plugin for asyncio, above all.

    import pytest
    from tinyforge.testing import SourceContract
    from my_package import NightlySource

    class TestNightlySource(SourceContract):
        @pytest.fixture
        def plugin(self):
            return NightlySource()

        @pytest.fixture(params=[{}, {"at": "03:00"}])
        def config(self, request):
            return request.param

`plugin` is what Tinyforge would get from the entry point, or the same wired to stand-ins for what it talks to; it is asked to deploy and to
take down for good. `config` is an example of `spec.source.config`, as JSON; the more examples, the better. `answer_seconds` may be set
on the class, for a plugin that takes long.
"""

from tinyforge.testing.sources import SourceContract
from tinyforge.testing.triggers import TriggerContract

__all__ = ["SourceContract", "TriggerContract"]
