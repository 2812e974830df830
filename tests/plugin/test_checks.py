"""What can be written is accepted, and what cannot is rejected where it stands."""

from typing import Any

import msgspec
import pytest

from gateway.errors import InvalidRequestError
from gateway.plugin.checks import check_parts, try_to_write
from gateway.plugin.content import text_of
from gateway.types.content import ContentPart
from gateway.types.request import decode_request

IMAGE = {"type": "input_image", "image_url": "https://example.test/a.png", "detail": "high"}


def write(part: ContentPart) -> None:
    if text_of(part) is None and getattr(part, "image_url", None) is None:
        raise InvalidRequestError("neither text nor image")


def judged(role: str, *parts: dict[str, Any]) -> list[tuple[str, str, str]]:
    items = [{"role": role, "content": parts}]
    request = decode_request(msgspec.json.encode({"model": "m", "input": items}))
    verdicts = check_parts(request, write, "detail")
    return [(verdict.action, verdict.param, verdict.reason) for verdict in verdicts]


def test_what_can_be_written_is_accepted_but_for_what_nobody_heeds() -> None:
    text = {"type": "input_text", "text": "Hello"}

    assert judged("user", text, IMAGE) == [
        ("drop", "input[0].content[1].detail", "the upstream has no such hint")
    ]


def test_what_cannot_be_written_is_rejected_where_it_stands() -> None:
    file = {"type": "input_file", "file_id": "file-1"}

    assert judged("user", file) == [
        ("reject", "input[0].content[0].type", "neither text nor image")
    ]


def test_only_users_say_what_is_no_text() -> None:
    verdicts = judged("developer", IMAGE)

    reason = "the role developer can only hold text"
    assert verdicts[0] == ("reject", "input[0].content[0].type", reason)


@pytest.mark.parametrize(
    ("named", "param"), [(None, "tools[0]"), ("input", "tools[0]"), ("tool_choice", "tool_choice")]
)
def test_an_error_may_name_another_place(named: str | None, param: str) -> None:
    def fail() -> None:
        raise InvalidRequestError("no", param=named)

    assert [verdict.param for verdict in try_to_write("tools[0]", fail)] == [param]
