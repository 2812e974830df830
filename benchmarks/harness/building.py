"""The programs in C, compiled where git does not look."""

import shutil
import subprocess
from pathlib import Path

SOURCES = Path(__file__).parents[1] / "load"
SHARED = ("message.c", "events.c", "histogram.c")
FLAGS = ("-O2", "-std=gnu17", "-Wall", "-Wextra", "-Werror")


def build(folder: Path) -> None:
    """Put `upstream` and `client` into `folder`. Ends the program if there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise SystemExit("there is no C compiler: install one (Debian: apt install gcc libc6-dev)")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("upstream", "client"):
        sources = (str(SOURCES / source) for source in (f"{name}.c", *SHARED))
        command = [compiler, *FLAGS, "-o", str(folder / name), *sources]
        subprocess.run(command, check=True)
