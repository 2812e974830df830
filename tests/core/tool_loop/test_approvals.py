"""An approval is honoured once: for what was asked, of that server, by that tenant, in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.core.keeper import Keeper
from gateway.core.tool_loop.approvals import Approvals, Denied, Pending
from gateway.core.tool_loop.marks import Marks
from gateway.errors import InvalidRequestError, StoreError
from gateway.ids import Ids, Seal, is_id
from gateway.plugin.store import Store, StoreSettings
from gateway.store import BUILT_IN
from gateway.store.memory import MemoryStore
from gateway.types.items import (
    FunctionCall,
    InputItem,
    McpApprovalRequest,
    McpApprovalResponse,
    McpCall,
    McpListTools,
    Message,
    Reasoning,
)

ADDRESSES = {"dice": "https://dice.example/mcp", "cards": "operator"}
LIFETIME = 3600.0
SEAL = Seal(b"a secret of the operator")
ASK = Message(role="user", content="Roll 2d4+1, please.")
SAID = Message(role="assistant", content="You have rolled 7.")
SPELLINGS = st.characters(min_codepoint=33, max_codepoint=126)


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Desk:
    """Approvals of one tenant, at a time that tests set; what it marks is in `store`."""

    def __init__(self, store: Store | None, *, tenant: str = "acme", seal: Seal = SEAL) -> None:
        self.clock = Clock()
        keeper = Keeper(store, retention=1, now=self.clock)
        self.approvals = Approvals(seal, Ids(self.clock), Marks(keeper), tenant, LIFETIME)

    def ask(self, label: str = "dice", *, arguments: str = '{"expression": "2d4+1"}') -> Any:
        return self.approvals.request(
            server_label=label, name="roll", arguments=arguments, address=ADDRESSES[label]
        )

    def read(
        self,
        own: Sequence[InputItem],
        earlier: Sequence[InputItem] = (),
        addresses: Mapping[str, str] = ADDRESSES,
    ) -> Pending:
        return self.approvals.pending(own, earlier, addresses)

    async def honour(self, own: Sequence[InputItem], earlier: Sequence[InputItem] = ()) -> int:
        """Return how many calls may be made."""
        pending = self.read(own, earlier)
        for denied in pending.denied:
            await self.approvals.reject(denied)
        for approved in pending.approved:
            await self.approvals.honour(approved)
        return len(pending.approved)

    def refuses(self, match: str, own: Sequence[InputItem], *more: Any) -> None:
        """Check that the last item of `own` is refused, and for which reason."""
        with pytest.raises(InvalidRequestError, match=match) as refused:
            self.read(own, *more)
        assert refused.value.status == 400
        assert refused.value.param == f"input[{len(own) - 1}].approval_request_id"


def answer(request: McpApprovalRequest, *, approve: bool = True) -> McpApprovalResponse:
    return McpApprovalResponse(approval_request_id=str(request.id), approve=approve)


def deny(request: McpApprovalRequest) -> McpApprovalResponse:
    return answer(request, approve=False)


def called(request: McpApprovalRequest) -> McpCall:
    return McpCall(
        name=request.name,
        arguments=request.arguments,
        server_label=request.server_label,
        approval_request_id=str(request.id),
        output="7",
    )


@pytest.fixture
def desk() -> Desk:
    return Desk(MemoryStore())


def test_what_is_asked_has_an_id_of_its_own(desk: Desk) -> None:
    one, two = desk.ask(), desk.ask()
    assert (one.server_label, one.name) == ("dice", "roll")
    assert one.arguments == '{"expression": "2d4+1"}'
    assert one.id.startswith("mcpr_")
    assert is_id(one.id)
    assert one.id != two.id


def test_answers_are_read_from_the_chain_and_from_the_input(desk: Desk) -> None:
    one, two = desk.ask(), desk.ask("cards")
    chained = desk.read([answer(one), deny(two)], [ASK, one, two])
    replayed = desk.read([ASK, one, two, answer(one), deny(two)])
    assert [(each.request, each.position) for each in chained.approved] == [(one, 0)]
    assert [(each.request, each.position) for each in chained.denied] == [(two, 1)]
    assert [(each.request, each.position) for each in replayed.approved] == [(one, 3)]
    assert [(each.request, each.position) for each in replayed.denied] == [(two, 4)]


def test_what_nobody_has_answered_is_not_pending(desk: Desk) -> None:
    one = desk.ask()
    assert desk.read([ASK, one]) == desk.read([ASK], [ASK, one]) == Pending()


@pytest.mark.parametrize("answered", [answer, deny])
def test_an_answer_in_the_chain_has_been_dealt_with(
    desk: Desk, answered: Callable[[McpApprovalRequest], InputItem]
) -> None:
    one = desk.ask()
    assert desk.read([ASK], [one, answered(one)]) == Pending()


@pytest.mark.parametrize("answered", [answer, deny])
@pytest.mark.parametrize("replay", [True, False])
def test_an_answer_to_what_is_not_in_the_context_is_refused(
    desk: Desk, answered: Callable[[McpApprovalRequest], InputItem], *, replay: bool
) -> None:
    one, two = desk.ask(), desk.ask()
    match = "is not in the context"
    if replay:
        desk.refuses(match, [ASK, two, answered(one)])
    else:
        desk.refuses(match, [answered(one)], [ASK, two])


@pytest.mark.parametrize("answered", [answer, deny])
def test_forged_and_foreign_requests_are_refused_in_the_same_words(
    desk: Desk, answered: Callable[[McpApprovalRequest], InputItem]
) -> None:
    foreign = Desk(MemoryStore(), tenant="rival").ask()
    elsewhere = Desk(MemoryStore(), seal=Seal(b"of another operator")).ask()
    forged = replace(desk.ask(), id="mcpr_" + "A" * 96)
    upstream = replace(desk.ask(), id="mcpr_6830d6d5b4f08191a5b4")
    nameless = replace(desk.ask(), id="")
    for one in (foreign, elsewhere, forged, upstream, nameless):
        desk.refuses("was not made here, or not for you", [ASK, one, answered(one)])


def test_another_sealed_id_of_the_tenant_is_no_approval_request(desk: Desk) -> None:
    for sealed in (SEAL.seal("acme", "account", "resp_1"), SEAL.seal_summary("acme", b"x" * 56)):
        body = sealed.removeprefix("resp_").removeprefix("gws1.")
        one = replace(desk.ask(), id=f"mcpr_{body}")
        desk.refuses("was not made here, or not for you", [one, answer(one)])


@given(position=st.integers(min_value=0), letter=SPELLINGS, everywhere=st.booleans())
def test_an_id_with_any_letter_changed_is_refused(
    position: int, letter: str, *, everywhere: bool
) -> None:
    desk = Desk(None)
    one = desk.ask()
    at = position % len(one.id)
    changed = replace(one, id=one.id[:at] + letter + one.id[at + 1 :])
    assume(changed.id != one.id)
    if everywhere:
        desk.refuses("was not made here, or not for you", [changed, answer(changed)])
    else:
        desk.refuses("is not in the context", [one, answer(changed)])


@given(cut=st.integers(min_value=0), more=st.text(SPELLINGS, max_size=5))
def test_an_id_of_another_length_is_refused(cut: int, more: str) -> None:
    desk = Desk(None)
    one = desk.ask()
    changed = replace(one, id=one.id[: cut % (len(one.id) + 1)] + more)
    assume(changed.id != one.id)
    desk.refuses("was not made here, or not for you", [changed, answer(changed)])


@given(
    asked=st.fixed_dictionaries(dict.fromkeys(("server_label", "name", "arguments"), st.text())),
    told=st.fixed_dictionaries(dict.fromkeys(("server_label", "name", "arguments"), st.text())),
    members=st.sets(st.sampled_from(("server_label", "name", "arguments")), min_size=1),
    approve=st.booleans(),
)
def test_a_request_with_any_member_changed_is_refused(
    asked: dict[str, str], told: dict[str, str], members: set[str], *, approve: bool
) -> None:
    desk = Desk(None)
    one = desk.approvals.request(**asked, address="operator")
    changed = replace(one, **{member: told[member] for member in members})
    addresses = {changed.server_label: "operator"}
    own = [changed, answer(changed, approve=approve)]
    if changed == one:
        assert desk.read(own, (), addresses) != Pending()
    else:
        desk.refuses("is not as it was made", own, (), addresses)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("server_label", "cards"),
        ("name", "wipe"),
        ("arguments", '{"expression": "9d9"}'),
        ("arguments", '{"expression":"2d4+1"}'),
    ],
)
def test_the_request_must_be_as_it_was_made(desk: Desk, member: str, value: str) -> None:
    one = desk.ask()
    desk.refuses("is not as it was made", [replace(one, **{member: value}), answer(one)])
    desk.refuses("is not as it was made", [answer(one)], [replace(one, **{member: value})])


def test_what_moves_from_one_member_to_the_next_is_a_change(desk: Desk) -> None:
    one = desk.ask()
    moved = replace(one, server_label="dic", name="eroll")
    addresses = {"dic": ADDRESSES["dice"]}
    desk.refuses("is not as it was made", [moved, answer(moved)], (), addresses)


def test_another_server_of_the_same_label_is_not_called(desk: Desk) -> None:
    one = desk.ask()
    for address in ("https://evil.example/mcp", "https://dice.example/", "operator", ""):
        desk.refuses(
            "was made for another server", [one, answer(one)], (), ADDRESSES | {"dice": address}
        )


def test_an_approved_call_needs_its_server_among_the_tools(desk: Desk) -> None:
    one = desk.ask()
    desk.refuses("no MCP server in tools has the server_label", [one, answer(one)], (), {})
    assert desk.read([one, deny(one)], (), {}).denied


def test_an_approval_can_be_given_for_its_lifetime_and_denied_for_ever(desk: Desk) -> None:
    one = desk.ask()
    desk.clock.seconds += LIFETIME
    assert desk.read([one, answer(one)]).approved
    desk.clock.seconds += 1
    desk.refuses("has expired", [one, answer(one)])
    assert desk.read([one, deny(one)]).denied


@pytest.mark.parametrize("first", [answer, deny])
@pytest.mark.parametrize("second", [answer, deny])
def test_a_request_has_one_answer(
    desk: Desk,
    first: Callable[[McpApprovalRequest], InputItem],
    second: Callable[[McpApprovalRequest], InputItem],
) -> None:
    one = desk.ask()
    with pytest.raises(InvalidRequestError, match="has been answered already"):
        desk.read([one, first(one), second(one)])
    match = "has been answered already"
    desk.refuses(match, [second(one)], [one, first(one)])
    desk.refuses(match, [second(one)], [one, first(one), called(one), SAID])
    desk.refuses(match, [one, first(one), called(one), SAID, second(one)])
    desk.refuses(match, [second(one)], [one, called(one)])


def test_an_approval_does_not_hide_behind_a_denial_that_is_history(desk: Desk) -> None:
    one = desk.ask()
    for own in ([one, deny(one), SAID, answer(one)], [one, answer(one), deny(one), SAID]):
        with pytest.raises(InvalidRequestError, match="has been answered already"):
            desk.read(own)


async def test_a_history_that_is_sent_again_is_settled(desk: Desk) -> None:
    one, two = desk.ask(), desk.ask("cards")
    history: list[InputItem] = [ASK, McpListTools(server_label="dice"), one, two]
    history += [answer(one), deny(two)]
    assert await desk.honour(history) == 1
    history += [called(one), SAID, ASK]
    desk.clock.seconds += 10 * LIFETIME
    assert desk.read(history, (), {}) == Pending()
    three = desk.ask()
    assert [each.request for each in desk.read([*history, three, answer(three)]).approved] == [
        three
    ]


def test_the_history_of_another_server_is_settled_too(desk: Desk) -> None:
    """Who changes from OpenAI's model to ours brings what he was asked there."""
    one = McpApprovalRequest(id="mcpr_1", server_label="dice", name="roll", arguments="{}")
    two = replace(one, id="mcpr_2")
    said = FunctionCall(call_id="call_1", name="f", arguments="{}")
    thought = Reasoning(summary=())
    approved: list[InputItem] = [ASK, one, answer(one), called(one)]
    for went_on in (said, thought, SAID):
        assert desk.read([*approved, two, deny(two), went_on, ASK]) == Pending()
    assert desk.read([ASK, one, two, deny(two), answer(one), called(one), ASK]) == Pending()


def test_a_denial_between_requests_of_one_turn_is_new(desk: Desk) -> None:
    one, two = desk.ask(), desk.ask()
    pending = desk.read([one, deny(one), two, answer(two)])
    assert pending.denied == (Denied(request=one, position=1),)
    assert [each.request for each in pending.approved] == [two]


async def test_an_approval_counts_once_in_a_chain_and_in_its_forks(desk: Desk) -> None:
    one = desk.ask()
    assert await desk.honour([answer(one)], [ASK, one]) == 1
    for own, earlier in (([answer(one)], [ASK, one]), ([ASK, one, ASK, answer(one)], [])):
        with pytest.raises(InvalidRequestError, match="has been used already") as refused:
            await desk.honour(own, earlier)
        assert refused.value.status == 400
        assert refused.value.code == "approval_already_used"
        assert refused.value.param == f"input[{len(own) - 1}].approval_request_id"


async def test_equal_calls_need_an_approval_each(desk: Desk) -> None:
    one, two = desk.ask(), desk.ask()
    assert await desk.honour([one, two, answer(one), answer(two)]) == 2


@pytest.mark.parametrize("again", [answer, deny])
async def test_what_was_denied_has_its_answer(
    desk: Desk, again: Callable[[McpApprovalRequest], McpApprovalResponse]
) -> None:
    one = desk.ask()
    assert await desk.honour([deny(one)], [one]) == 0
    with pytest.raises(InvalidRequestError, match="has been used already"):
        await desk.honour([again(one)], [one])


async def test_an_approval_counts_once_as_long_as_it_may_be_given(desk: Desk) -> None:
    """Though nodes whose clocks differ purge what they share."""
    store = MemoryStore()
    desk, late = Desk(store), Desk(store)
    one = desk.ask()
    assert await desk.honour([one, answer(one)]) == 1
    desk.clock.seconds += LIFETIME + 60
    late.clock.seconds += LIFETIME
    assert await store.purge(desk.clock.seconds) == 0
    with pytest.raises(InvalidRequestError, match="has been used already"):
        await late.honour([one, answer(one)])
    assert await store.purge(desk.clock.seconds + LIFETIME) == 1


async def test_tenants_do_not_use_up_each_others_approvals() -> None:
    store = MemoryStore()
    desk, rival = Desk(store), Desk(store, tenant="rival")
    one = desk.ask()
    await rival.approvals.reject(Denied(request=one, position=0))
    assert await desk.honour([one, answer(one)]) == 1


async def test_nothing_is_called_when_the_store_does_not_answer() -> None:
    class LostStore(MemoryStore):
        async def mark(self, tenant: str, name: str, *, now: float, until: float) -> bool:
            raise StoreError("the store is gone")

    desk = Desk(LostStore())
    one = desk.ask()
    with pytest.raises(StoreError, match="the store is gone"):
        await desk.honour([one, answer(one)])


async def test_without_a_store_an_approval_counts_once_in_its_process() -> None:
    desk = Desk(None)
    one = desk.ask()
    assert await desk.honour([one, answer(one)]) == 1
    with pytest.raises(InvalidRequestError, match="has been used already"):
        await desk.honour([one, answer(one)])


async def test_of_two_nodes_on_one_file_one_honours_an_approval(tmp_path: Path) -> None:
    settings = StoreSettings(directory=tmp_path)
    async with AsyncExitStack() as stack:
        nodes = [
            Desk(await stack.enter_async_context(BUILT_IN["sqlite"].open(settings)))
            for _ in range(2)
        ]
        for turn in range(10):
            one = nodes[turn % 2].ask()
            outcomes = await asyncio.gather(
                *(node.honour([answer(one)], [one]) for node in nodes * 5), return_exceptions=True
            )
            assert outcomes.count(1) == 1
            assert sum(isinstance(found, InvalidRequestError) for found in outcomes) == 9
