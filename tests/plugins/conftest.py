"""What the tests of plugins share.

Fixtures:

* `site`: a folder of installed packages in front of this environment's own, for plugins of all sorts;
* `example`: such a folder with the package of tests/plugins/example in it, built and installed as a person would.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.site import Site, site_packages
from tests.servers.bare_machine import ROOT

EXAMPLE = Path(__file__).parent / "example"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_packages(tmp_path / "site-packages") as packages:
        yield packages


@pytest.fixture(scope="session")
def example_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("example") / "site-packages"
    install = ["pip", "install", "--quiet", "--offline", "--no-deps", "--python", sys.executable, "--target", str(folder), str(EXAMPLE)]
    subprocess.run([ROOT / "scripts/uv", *install], check=True)
    return folder


@pytest.fixture
def example(example_folder: Path) -> Iterator[Site]:
    with site_packages(example_folder) as packages:
        yield packages
