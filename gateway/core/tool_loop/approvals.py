"""Approvals: what a client has agreed to is done once, and nothing else is.

The id of an approval request is sealed for its tenant, over what exactly was asked for, of which
server, and when. So the gateway need not remember that it asked, and nobody can ask in its place.
That an answer was acted on is written down before it is: a call whose outcome is lost, or whose
mark is of an unknown end, is not made a second time.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import blake2b, sha256

from msgspec import Struct

from gateway.core.tool_loop.marks import Marks
from gateway.errors import InvalidRequestError
from gateway.ids import BrokenSealError, Ids, Seal
from gateway.types.items import (
    InputItem,
    McpApprovalRequest,
    McpApprovalResponse,
    McpCall,
    Message,
    Reasoning,
)
from gateway.types.wire import encode

__all__ = ["Approvals", "Approved", "Denied", "Pending"]

_SEALED = struct.Struct(">24s16sd8s")  # the call, its server, the time, and what tells twins apart
_CLOCKS_DIFFER = 300.0  # seconds, at most, between nodes


class Approved(Struct, frozen=True, kw_only=True):
    """A call that the client agrees to; `position` is that of its answer in the request's input."""

    request: McpApprovalRequest
    position: int


class Denied(Struct, frozen=True, kw_only=True):
    """A call that the client does not agree to; `position` as in `Approved`."""

    request: McpApprovalRequest
    position: int


class Pending(Struct, frozen=True, kw_only=True):
    """The answers that have not been acted on, in their order."""

    approved: tuple[Approved, ...] = ()
    denied: tuple[Denied, ...] = ()


class _Asked(Struct, frozen=True):
    """Of which server something was asked, as a digest, and when."""

    server: bytes
    at: float


class Approvals:
    """Asks for approvals on behalf of one tenant, and reads the answers.

    An approval can be given for `lifetime` seconds; it is never too late to deny one. Servers are
    told apart by their *addresses*, besides the labels that clients give them.
    """

    def __init__(self, seal: Seal, ids: Ids, marks: Marks, tenant: str, lifetime: float) -> None:
        self._seal = seal
        self._ids = ids
        self._marks = marks
        self._tenant = tenant
        self._lifetime = lifetime

    def request(
        self, *, server_label: str, name: str, arguments: str, address: str
    ) -> McpApprovalRequest:
        """Return the item that asks to call `name` of the server at `address`."""
        twin = blake2b(self._ids.mint("mcpr").encode(), digest_size=8).digest()
        call = _digest_of_call(server_label, name, arguments)
        asked = _SEALED.pack(call, _digest_of_address(address), self._ids.now(), twin)
        return McpApprovalRequest(
            id=self._seal.seal_approval(self._tenant, asked),
            server_label=server_label,
            name=name,
            arguments=arguments,
        )

    def pending(
        self,
        own: Sequence[InputItem],
        earlier: Sequence[InputItem],
        addresses: Mapping[str, str],
    ) -> Pending:
        """Return the answers among `own`, the input of this very request, to what was asked there
        or `earlier`. `addresses` are those of the servers in its tools, by label.

        An approval whose call follows it is history, and so is a denial after which the model went
        on. Raises `InvalidRequestError` for an answer to what was not asked, not so, not of this
        server, not of this tenant, too long ago, or that has an answer.
        """
        unsettled = _unsettled(own)
        if not unsettled:
            return Pending()
        context = _Context((*earlier, *own))
        approved: list[Approved] = []
        denied: list[Denied] = []
        for position, answer in unsettled:
            request = context.request(answer, position)
            asked = self._open(request, position)
            if answer.approve:
                self._check_approval(request, asked, addresses, position)
                approved.append(Approved(request=request, position=position))
            else:
                denied.append(Denied(request=request, position=position))
        return Pending(approved=tuple(approved), denied=tuple(denied))

    async def honour(self, approved: Approved) -> None:
        """Use up an approval: whoever returns from here may make the call, once.

        Raises `InvalidRequestError` if it has been used, here or on another node, or if the same
        was denied, and whatever `Marks.mark` raises; then the call must not be made.
        """
        await self._use_up(approved.request, approved.position)

    async def reject(self, denied: Denied) -> None:
        """Use up a denial: what was denied cannot be approved any more. Raises like `honour`."""
        await self._use_up(denied.request, denied.position)

    async def _use_up(self, request: McpApprovalRequest, position: int) -> None:
        if not await self._use(request):
            raise _refused(
                f"the answer to approval request {request.id!r} has been used already:"
                " have the model ask again",
                position,
                code="approval_already_used",
            )

    async def _use(self, request: McpApprovalRequest) -> bool:
        digest = sha256(str(request.id).encode()).hexdigest()
        now = self._ids.now()
        until = now + self._lifetime + _CLOCKS_DIFFER
        return await self._marks.mark(self._tenant, f"approval:{digest}", now=now, until=until)

    def _open(self, request: McpApprovalRequest, position: int) -> _Asked:
        """Return what was asked in truth. Raises if it was not asked so, or not of this tenant."""
        try:
            sealed = self._seal.open_approval(self._tenant, str(request.id))
        except BrokenSealError:
            raise _refused(
                f"approval request {request.id!r} was not made here, or not for you", position
            ) from None
        call, server, at, _ = _SEALED.unpack(sealed)
        if call != _digest_of_call(request.server_label, request.name, request.arguments):
            raise _refused(
                f"approval request {request.id!r} is not as it was made: its server_label, name and"
                " arguments must not be changed",
                position,
            )
        return _Asked(server, at)

    def _check_approval(
        self,
        request: McpApprovalRequest,
        asked: _Asked,
        addresses: Mapping[str, str],
        position: int,
    ) -> None:
        address = addresses.get(request.server_label)
        if address is None:
            raise _refused(
                f"no MCP server in tools has the server_label {request.server_label!r} of the call"
                " that is approved: send its tool again",
                position,
            )
        if asked.server != _digest_of_address(address):
            raise _refused(
                f"approval request {request.id!r} was made for another server than the one in tools"
                f" that has the server_label {request.server_label!r} now",
                position,
            )
        if self._ids.now() > asked.at + self._lifetime:
            raise _refused(
                f"approval request {request.id!r} has expired: have the model ask again", position
            )


class _Context:
    """What was asked and answered in `items`, the whole input."""

    def __init__(self, items: Sequence[InputItem]) -> None:
        self._requests: dict[object, McpApprovalRequest] = {}
        self._answers: Counter[str | None] = Counter()
        for item in items:
            match item:
                case McpApprovalRequest(id=name):
                    self._requests[name] = item
                case (
                    McpApprovalResponse(approval_request_id=name)
                    | McpCall(approval_request_id=name)
                ):
                    self._answers[name] += 1
                case _:
                    pass

    def request(self, answer: McpApprovalResponse, position: int) -> McpApprovalRequest:
        """Return what `answer` is the only answer to. Raises if there is no such request."""
        name = answer.approval_request_id
        if name not in self._requests:
            raise _refused(f"approval request {name!r} is not in the context", position)
        if self._answers[name] > 1:
            raise _refused(f"approval request {name!r} has been answered already", position)
        return self._requests[name]


def _unsettled(own: Sequence[InputItem]) -> list[tuple[int, McpApprovalResponse]]:
    """Return the answers, and their positions, that nothing in `own` came of."""
    found: list[tuple[int, McpApprovalResponse]] = []
    called: set[str | None] = set()
    went_on = False
    for position in reversed(range(len(own))):
        item = own[position]
        match item:
            case McpApprovalResponse(approval_request_id=name, approve=approve):
                if not (name in called if approve else went_on):
                    found.append((position, item))
            case McpCall(approval_request_id=name):
                called.add(name)
                went_on = True
            case _:
                went_on = went_on or _is_said(item)
    return found[::-1]


def _is_said(item: InputItem) -> bool:
    """Say whether `item` is from the model and no request, of which it may make several at once."""
    if isinstance(item, Message):
        return item.role == "assistant"
    return isinstance(item, Reasoning) or item.type.endswith("_call")


def _digest_of_call(server_label: str, name: str, arguments: str) -> bytes:
    return blake2b(encode((server_label, name, arguments)), digest_size=24).digest()


def _digest_of_address(address: str) -> bytes:
    return blake2b(address.encode(), digest_size=16).digest()


def _refused(message: str, position: int, code: str | None = None) -> InvalidRequestError:
    param = f"input[{position}].approval_request_id"
    return InvalidRequestError(message, code=code, param=param)
