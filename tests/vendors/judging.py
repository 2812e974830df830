"""Who judges what we send: the vendor whose address it goes to."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gateway.errors import InvalidRequestError
from gateway.plugin import Dialect, UpstreamRequest
from gateway.plugin.dialect import counts
from gateway.testing.preparing import Prepared

from . import bedrock, claude, gemini

__all__ = ["judge", "judged"]

JUDGES: Mapping[str, Callable[[Any], None]] = {
    "/v1/messages": claude.check_message,
    "/v1/messages/count_tokens": claude.check_count,
    ":streamGenerateContent": gemini.check_content,
    ":countTokens": gemini.check_count,
    "/interactions": gemini.check_interaction,
    "/converse-stream": bedrock.check_converse,
    "/count-tokens": bedrock.check_count,
}


def judge(address: str, body: Any) -> None:
    """Raise `ValueError` if the vendor's own types do not know the decoded `body` as one that can
    go to `address`: a URL, or its path. Raises `LookupError` if nobody judges what goes there.
    """
    path = address.partition("?")[0]
    for ending, check in JUDGES.items():
        if path.endswith(ending):
            check(body)
            return
    raise LookupError(f"nobody judges what goes to {path}")


def judged(dialect: Dialect, prepared: Prepared) -> list[UpstreamRequest]:
    """Return what `dialect` sends for an answer to a request, and for the number of its tokens:
    nothing for a request that nobody could take.

    Raises `ValueError` if the vendor's own types do not know it.
    """
    try:
        sent = [dialect.encode(prepared.call)]
        if counts(dialect):
            sent.append(dialect.encode_count(prepared.call))
    except InvalidRequestError:
        return []
    for request in sent:
        judge(request.url, msgspec.json.decode(request.body))
    return sent
