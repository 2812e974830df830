"""Read a request as far as routing needs it, and open the sealed ids in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct

from gateway.core.exchange import Envelope
from gateway.errors import InvalidRequestError
from gateway.ids import BrokenSealError, Seal
from gateway.types.open import problem
from gateway.types.parameters import ConversationReference
from gateway.types.request import RequestHead, decode_head

__all__ = ["Intake", "decode", "take_in"]

T = TypeVar("T")

_STORED = frozenset({"retrieve", "delete", "cancel", "input_items"})
"""The operations on a response that exists, named by the id in their path."""


class Intake(Struct, frozen=True, kw_only=True):
    """A request with its ids opened.

    `model` is the client's name for it, empty for an operation on a stored response. `account`
    is where the request must go if an id in it says so; `response_id` and `previous_id` are the
    upstream's own ids. Ids that are not sealed are of the gateway's own store, if of any:
    `kept_id` and `kept_previous_id`.
    """

    envelope: Envelope
    tenant: str
    stream: bool
    head: RequestHead = RequestHead()
    model: str = ""
    account: str | None = None
    response_id: str = ""
    previous_id: str | None = None
    kept_id: str = ""
    kept_previous_id: str = ""

    @property
    def conversation_id(self) -> str:
        """The conversation that the request belongs to, if any."""
        conversation = self.head.conversation
        return (
            conversation.id
            if isinstance(conversation, ConversationReference)
            else conversation or ""
        )


def take_in(envelope: Envelope, tenant: str, seal: Seal) -> Intake:
    """Return what `envelope` asks for. Raises `InvalidRequestError` and `NotFoundError`."""
    if envelope.operation in _STORED:
        return _stored(envelope, tenant, seal)
    head = decode(decode_head, envelope.body)
    _refuse_contradictions(head)
    if not head.model:
        raise InvalidRequestError(
            "you must say which model to use", code="missing_required_parameter", param="model"
        )
    account, previous_id, kept_previous_id = None, None, ""
    if head.previous_response_id is not None:
        try:
            account, previous_id = seal.open(tenant, head.previous_response_id)
        except BrokenSealError:
            kept_previous_id = head.previous_response_id
    return Intake(
        envelope=envelope,
        tenant=tenant,
        stream=bool(head.stream) and envelope.operation == "create",
        head=head,
        model=head.model,
        account=account,
        previous_id=previous_id,
        kept_previous_id=kept_previous_id,
    )


def decode(decoder: Callable[[bytes], T], body: bytes) -> T:
    """Decode a client's JSON. Raises `InvalidRequestError` that says what is wrong, and where."""
    try:
        if not body.isascii():
            body.decode()  # msgspec does not look into the values that it skips
        return decoder(body)
    except UnicodeDecodeError as error:
        raise InvalidRequestError(
            f"the body is not UTF-8: byte {error.start} cannot be decoded", code="invalid_json"
        ) from error
    except msgspec.ValidationError as error:
        message, param = problem(error)
        raise InvalidRequestError(
            f"{param}: {message}" if param else message, code="invalid_type", param=param
        ) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequestError(f"the body is not JSON: {error}", code="invalid_json") from error


def _stored(envelope: Envelope, tenant: str, seal: Seal) -> Intake:
    wanted = parse_qs(envelope.query).get("stream", ())
    stream = envelope.operation == "retrieve" and "true" in wanted
    try:
        account, upstream_id = seal.open(tenant, envelope.response_id)
    except BrokenSealError:
        kept_id = envelope.response_id
        return Intake(envelope=envelope, tenant=tenant, stream=stream, kept_id=kept_id)
    return Intake(
        envelope=envelope, tenant=tenant, stream=stream, account=account, response_id=upstream_id
    )


def _refuse_contradictions(head: RequestHead) -> None:
    if head.previous_response_id is not None and head.conversation is not None:
        raise InvalidRequestError(
            "previous_response_id and conversation exclude each other, send one of them",
            code="mutually_exclusive_parameters",
            param="previous_response_id",
        )
