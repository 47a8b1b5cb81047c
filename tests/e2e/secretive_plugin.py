"""A plugin of somebody else's that raises errors with its config in them, as HTTP clients do with the URL that they were given."""

import os

from tests.plugins.site import Site

_CODE = """
import logging
from pydantic import BaseModel
from tinyforge.plugin import Failed, Unchanged

class Config(BaseModel, extra="forbid"):
    token: str

def ask(url):
    raise ConnectionError(f"cannot connect to {url}")

class Plugin:
    api = 1
    config = Config

    async def reconcile(self, seen):
        try:
            ask(f"https://user:{seen.config.token}@registry.example.com/v2")
        except ConnectionError as error:
            raise RuntimeError(f"401 for {seen.config!r}") from error

    async def deploy(self, seen, intent):
        return Unchanged()

    async def teardown(self, seen):
        return Unchanged()
"""


def install(site: Site) -> str:
    """Install it as the source `theirs`, and return what PYTHONPATH has to be."""
    site.source(_CODE)
    return os.pathsep.join(filter(None, (str(site.folder), os.environ.get("PYTHONPATH"))))
