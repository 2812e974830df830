"""Packages that are not ours: each is built, installed and run as its users would."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from msgspec import Struct

HERE = Path(__file__).parent

collect_ignore_glob = ["gateway-*"]  # they have suites of their own, for their own environments


class Installation(Struct, frozen=True):
    """A package in a fresh virtual environment: `home` is a copy of its source, with its tests."""

    home: Path
    python: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the environment's interpreter in `home`, and wait for it."""
        return subprocess.run(
            [self.python, *arguments],
            cwd=self.home,
            env={"PYTHONDONTWRITEBYTECODE": "1", "GATEWAY_HOME": str(self.home / "state")},
            capture_output=True,
            text=True,
            check=False,
        )


def environment(directory: Path) -> Path:
    """Make a virtual environment that sees our packages too, and return its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", directory], check=True)
    python = directory / "bin" / "python"
    packages = sysconfig.get_path("purelib", "venv", {"base": str(directory)})
    ours = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    Path(packages, "ours.pth").write_text(ours)
    return python


@pytest.fixture(scope="session")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Install gateway-acme from its source, as `pip install` does without a network."""
    directory = tmp_path_factory.mktemp("acme")
    home = directory / "gateway-acme"
    shutil.copytree(HERE / "gateway-acme", home)
    installation = Installation(home, environment(directory / "venv"))
    offline = ("--no-index", "--no-deps", "--no-build-isolation", "--no-compile")
    done = installation.run("-m", "pip", "install", "--quiet", *offline, str(home))
    assert done.returncode == 0, done.stderr
    return installation
