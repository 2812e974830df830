"""The library that the model's server needs, on a machine that has it and on one that has not."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from gateway.errors import UpstreamUnavailableError
from gateway_local import openmp
from gateway_local.openmp import LIBRARY, with_library

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux wheels need libgomp")
needs_wheel = pytest.mark.skipif(find_spec("treelite") is None, reason="treelite is not installed")

LOADED = f"""
import ctypes
ctypes.CDLL("{LIBRARY}")
print(*[line.split()[-1] for line in open("/proc/self/maps") if "libgomp" in line])
"""


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openmp, "_is_installed", lambda: False)


def output_of(script: str) -> str:
    with with_library([sys.executable, "-c", script]) as command:
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


@needs_wheel
@pytest.mark.usefixtures("bare_machine")
def test_a_bare_machine_borrows_the_library_of_a_wheel() -> None:
    assert "treelite.libs" in output_of(LOADED)


def test_a_machine_that_has_the_library_uses_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openmp, "_is_installed", lambda: True)
    with with_library(["model"]) as command:
        assert command == ["model"]


@needs_wheel
@pytest.mark.usefixtures("bare_machine")
def test_what_the_loader_searched_before_it_still_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", os.devnull)
    ours, theirs = output_of("import os; print(os.environ['LD_LIBRARY_PATH'])").split(":")
    assert (ours.startswith("/"), theirs.strip()) == (True, os.devnull)


@pytest.mark.usefixtures("bare_machine")
def test_without_either_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openmp, "find_spec", lambda name: None)
    with pytest.raises(UpstreamUnavailableError, match="apt install libgomp1"), with_library([]):
        pytest.fail("started without the library")
