"""A folder of manifests as what is declared (`tinyforge.reconcile.declarations.Declaring`)."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from tinyforge.domain.declarations import Reading
from tinyforge.ports import TinyforgeError
from tinyforge.standalone.manifests.files import FolderUnreadable
from tinyforge.standalone.manifests.problems import Problem
from tinyforge.standalone.manifests.read import read_folder
from tinyforge.standalone.manifests.watch import changes

logger = logging.getLogger(__name__)


class ManifestsUnusable(TinyforgeError):
    """Some of the manifests cannot be used; the text has a line for each problem."""


class ManifestFolder:
    """Reads a folder again whenever it may have changed; each problem is said once, until it is mended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._said: frozenset[Problem | str] = frozenset()

    async def read(self) -> Reading:
        """Return what the folder declares now; if it has vanished, an incomplete reading of nothing, so that all stays in force."""
        try:
            found = await asyncio.to_thread(read_folder, self._folder)  # a thousand manifests take a while, and passes go on
        except FolderUnreadable as error:
            self._say([str(error)])
            return Reading(complete=False)
        self._say(found.problems)
        return found.reading

    def read_strictly(self) -> Reading:
        """Return what the folder declares, if all of it can be used.

        Raises:
            FolderUnreadable: the folder itself cannot be read.
            ManifestsUnusable: some of it cannot be used; nothing was logged.
        """
        found = read_folder(self._folder)
        if found.problems:
            raise ManifestsUnusable("\n".join(str(problem) for problem in found.problems))
        return found.reading

    async def changes(self) -> AsyncIterator[None]:
        """See `Declaring.changes`."""
        async for _ in changes(self._folder, stop=asyncio.Event()):
            yield

    def _say(self, problems: "tuple[Problem, ...] | list[str]") -> None:
        for problem in problems:
            if problem not in self._said:
                logger.error("%s; what was in force stays in force", problem, extra={"action": "manifest_problem"})
        if self._said and not problems:
            logger.info("all manifests in %s can be used again", self._folder, extra={"action": "manifests_mended"})
        self._said = frozenset(problems)
