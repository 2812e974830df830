"""Recordings are replayed from folders, and asked for where there are none."""

import json
import subprocess
import sys
from pathlib import Path

SUITE = """
from pathlib import Path
from gateway.errors import UpstreamRejectedError
from gateway.testing import RecordedConformance
from gateway_chat import ChatDialect

class Wrong(ChatDialect):
    def error(self, failure):
        return UpstreamRejectedError("this is always the client's fault")

class TestRecordings(RecordedConformance):
    dialect = ChatDialect()
    recordings = Path(__file__).parent / "recordings"
    api = "chat_completions"
"""
STREAM = (
    b'data: {"choices": [{"index": 0, "delta": {"content": "Invented."}}]}\n\n'
    b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
    b"data: [DONE]\n\n"
)
META = {"api": "chat_completions", "status": 200, "stream": True, "response_headers": {}}


def record(directory: Path, body: bytes, **meta: object) -> None:
    directory.mkdir(parents=True)
    (directory / "meta.json").write_text(json.dumps(META | meta))
    (directory / "response.body").write_bytes(body)


def run(directory: Path, source: str = SUITE) -> str:
    (directory / "test_recordings.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider"]
    options = [f"--rootdir={directory}", "test_recordings.py"]
    outcome = subprocess.run(
        [*command, *options], cwd=directory, capture_output=True, text=True, check=False
    )
    return outcome.stdout


def test_recordings_of_the_api_are_replayed(tmp_path: Path) -> None:
    record(tmp_path / "recordings/acme/sound", STREAM)
    record(tmp_path / "recordings/acme/refused", b'{"error": "busy"}', status=429, stream=False)
    record(tmp_path / "recordings/acme/another", b"no matter", api="converse_stream")
    report = run(tmp_path)
    assert "failed" not in report
    assert "skipped" not in report
    assert " passed" in report


def test_a_recording_that_breaks_a_rule_is_named(tmp_path: Path) -> None:
    record(tmp_path / "recordings/acme/sound", STREAM)
    record(tmp_path / "recordings/acme/refused", b"{}", status=429, stream=False)
    report = run(tmp_path, SUITE.replace("ChatDialect()", "Wrong()"))
    assert "[refused]" in report
    assert "[sound" not in report
    assert "1 failed" in report


def test_without_recordings_the_tests_are_skipped_with_a_reason(tmp_path: Path) -> None:
    report = run(tmp_path)
    assert "passed" not in report.replace("deselected", "")
    assert "there are no recordings here" in report
