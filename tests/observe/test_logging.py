"""The request log: one line each, nothing secret in any line."""

import io
import logging
import sys
from collections.abc import Iterator

import pytest

from gateway.config import default_config
from gateway.observe import logging as request_logging
from gateway.observe.logging import MaskingFormatter, RequestLog, configure
from gateway.plugin import RequestRecord
from gateway.plugin.manager import Plugins
from gateway.types.response import Usage

RECORD = RequestRecord(
    request_id="req_1",
    tenant="shop",
    operation="create",
    model="fast",
    provider="openai",
    upstream_model="gpt-4.1",
    stream=True,
    attempts=2,
    first_byte_seconds=0.1234,
    seconds=1.5,
    usage=Usage(input_tokens=9, output_tokens=5),
)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What `configure` has the gateway write, with the loggers put back afterwards."""
    root, ours, text = logging.getLogger(), logging.getLogger("gateway"), io.StringIO()
    before = root.handlers[:]
    stderr, sys.stderr = sys.stderr, text
    configure("info")
    sys.stderr = stderr
    yield text
    root.handlers[:] = before
    ours.setLevel(logging.NOTSET)


def finish(record: RequestRecord) -> None:
    RequestLog(logging.getLogger("gateway.requests")).finished(record)


def test_a_request_is_one_line_of_facts(written: io.StringIO) -> None:
    finish(RECORD)
    [line] = written.getvalue().splitlines()
    assert line.partition(" ")[2] == (
        "INFO gateway.requests: id=req_1 tenant=shop operation=create model=fast"
        " upstream=openai/gpt-4.1 stream=true status=200 outcome=completed attempts=2"
        " first_byte_ms=123 ms=1500 input_tokens=9 output_tokens=5"
    )


def test_a_request_that_reached_nobody_has_no_upstream(written: io.StringIO) -> None:
    finish(
        RequestRecord(
            request_id="req_1",
            tenant="shop",
            operation="create",
            model="",
            status=404,
            outcome="failed",
            error_code="model_not_found",
        )
    )
    assert written.getvalue().partition(" ")[2] == (
        'INFO gateway.requests: id=req_1 tenant=shop operation=create model="" stream=false'
        " status=404 outcome=failed error=model_not_found attempts=0 ms=0\n"
    )


@pytest.mark.parametrize(("status", "outcome"), [(502, "failed"), (200, "failed")])
def test_a_failure_of_ours_or_of_the_upstream_is_a_warning(
    status: int, outcome: str, written: io.StringIO
) -> None:
    finish(
        RequestRecord(
            request_id="r",
            tenant="t",
            operation="create",
            model="m",
            status=status,
            outcome=outcome,
        )
    )
    assert " WARNING gateway.requests: " in written.getvalue()


def test_a_model_name_forges_neither_a_fact_nor_a_line(written: io.StringIO) -> None:
    name = 'x status=500\n2026-01-01 "y" ' + "z" * 10_000
    finish(RequestRecord(request_id="r", tenant="t", operation="create", model=name))
    [line] = written.getvalue().splitlines()
    assert r'model="x status=500\n2026-01-01 \"y\" zzz' in line
    assert len(line) < 500


@pytest.mark.parametrize(
    "leak",
    [
        "Authorization: Bearer invented-0123456789",
        "sent sk-proj-invented0123456789 to",
        "{'api-key': 'invented-0123456789'}",
        "?api_key=invented-0123456789&x=1",
        "gsk_invented0123456789",
    ],
)
def test_what_looks_like_a_key_is_masked_wherever_it_stands(
    leak: str, written: io.StringIO
) -> None:
    logging.getLogger("gateway.core").error("seen: %s", leak)
    logging.getLogger("foreign.library").error("a bug", exc_info=ValueError(leak))
    lines = written.getvalue()
    assert "seen: " in lines
    assert "ValueError: " in lines
    assert "0123456789" not in lines


def test_harmless_lines_are_left_alone() -> None:
    record = logging.makeLogRecord({"msg": "the bearer of task-force desk-top news asks for it"})
    assert MaskingFormatter("%(message)s").format(record).startswith("the bearer ")
    harmless = logging.makeLogRecord({"msg": "model=gpt-4.1 risk-averse disk-io=1"})
    assert MaskingFormatter("%(message)s").format(harmless) == harmless.getMessage()


def test_other_libraries_are_heard_from_warnings_on(written: io.StringIO) -> None:
    logging.getLogger("foreign.library").info("chatter")
    logging.getLogger("foreign.library").warning("trouble")
    assert [line.split(": ")[1] for line in written.getvalue().splitlines()] == ["trouble"]


def test_the_log_is_a_plugin() -> None:
    plugins = Plugins(extra=[request_logging], entry_points=False)
    [observer] = plugins.observers(default_config({"HOME": "/unused"}))
    assert isinstance(observer, RequestLog)
