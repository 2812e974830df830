"""The OpenMP library that llama.cpp is linked against, for machines that lack it.

xllamacpp's wheels for Linux take `libgomp.so.1` for granted, and a bare Debian has none. The wheel
of `treelite` holds one, under a name of its own. That package is never imported, nor installed
with its requirements: the library alone is what we want.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from ctypes import CDLL
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.errors import UpstreamUnavailableError

__all__ = ["LIBRARY", "with_library"]

LIBRARY = "libgomp.so.1"

# The loader looks for the library by its usual name, and reads its search path only as a process
# starts: hence a directory with a link of that name, and a shell that puts it onto the path.
_SEARCHING = 'LD_LIBRARY_PATH="$0${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" exec "$@"'


@contextmanager
def with_library(command: Sequence[str]) -> Generator[Sequence[str]]:
    """Yield `command` so that its process finds the library, as long as the context lasts.

    Raises `UpstreamUnavailableError` if there is none on this machine.
    """
    if sys.platform != "linux" or _is_installed():
        yield command
        return
    with TemporaryDirectory(prefix="gateway-openmp-") as directory:
        Path(directory, LIBRARY).symlink_to(_borrowed())
        yield ["/bin/sh", "-c", _SEARCHING, directory, *command]


def _is_installed() -> bool:
    try:
        CDLL(LIBRARY)
    except OSError:
        return False
    return True


def _borrowed() -> Path:
    package = find_spec("treelite")
    if package is not None and package.origin is not None:
        libraries = Path(package.origin).parents[1] / "treelite.libs"
        for library in libraries.glob("libgomp-*.so*"):
            return library
    raise UpstreamUnavailableError(
        f"the local model needs {LIBRARY}, which is not on this machine: install it (Debian: apt "
        "install libgomp1), or borrow another package's with pip install --no-deps treelite",
        code="local_model_failed",
    )
