"""What is not to be stored leaves no byte in any file of the gateway's."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest

from gateway.testing import Fault, event_stream

if TYPE_CHECKING:
    from tests.conftest import RunGateway

    from .conftest import Configure, Teller, Vendor, Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENCE = 20.0
PLACES = (
    "input",
    "instructions",
    "description",
    "arguments",
    "result",
    "answer",
    "thought",
    "metadata",
    "user",
    "history",
)


class Marks:
    """Words that occur nowhere else, one for each place of a request and its answer."""

    def __init__(self, chance: random.Random) -> None:
        self.words = {place: f"{place}-{chance.randbytes(9).hex()}" for place in PLACES}

    def __getitem__(self, place: str) -> str:
        return self.words[place]

    def found(self, directories: Sequence[Path]) -> set[str]:
        """Return the places whose words are in any file."""
        files = [file for each in directories for file in each.rglob("*") if file.is_file()]
        held = [file.read_bytes() for file in files]
        return {
            place
            for place, word in self.words.items()
            if any(word.encode() in content for content in held)
        }


def tool(marks: Marks) -> dict[str, Any]:
    parameters = {"type": "object", "description": marks["description"]}
    return {"type": "function", "name": "look", "parameters": parameters, "strict": False}


async def talk(teller: Teller, vendor: Vendor, marks: Marks, **parameters: Any) -> None:
    """Have two turns, with a call in between, that hold every mark."""
    call: dict[str, Any] = {"index": 0, "id": "c1", "type": "function"}
    function = {"name": "look", "arguments": json.dumps({"at": marks["arguments"]})}
    thought = {"reasoning_details": [{"type": "reasoning.text", "text": marks["thought"]}]}
    parameters |= {
        "instructions": marks["instructions"],
        "tools": [tool(marks)],
    }
    vendor.will(
        vendor.chat(thought, {"tool_calls": [{**call, "function": function}]}, finish="tool_calls"),
        vendor.chat({"content": marks["answer"]}),
    )
    history = [{"type": "message", "role": "user", "content": marks["history"]}]
    first = await teller.ask(
        [*history, {"type": "message", "role": "user", "content": marks["input"]}],
        metadata={"mark": marks["metadata"]},
        user=marks["user"],
        **parameters,
    )
    output = [item.to_dict() for item in first.output]
    result = {"call_id": output[-1]["call_id"], "output": marks["result"]}
    await teller.ask([*history, *output, {"type": "function_call_output", **result}], **parameters)


async def fail(teller: Teller, vendor: Vendor, marks: Marks, **parameters: Any) -> None:
    """Have a turn that breaks off in the middle."""
    word = vendor.chunk({"choices": [{"index": 0, "delta": {"content": marks["answer"]}}]})
    vendor.will(event_stream(word, Fault.CUT))
    with pytest.raises(openai.APIError):
        await teller.ask(marks["input"], stream=True, **parameters)


@pytest.fixture
def config(configure: Configure, tmp_path: Path) -> Mapping[str, Any]:
    return configure({"store": "sqlite", "directory": str(tmp_path)})


async def test_what_is_not_to_be_stored_is_in_no_file(
    config: Mapping[str, Any], run_gateway: RunGateway, visit: Visit, vendor: Vendor
) -> None:
    chance = random.Random(7)
    kept, hidden, failed = Marks(chance), Marks(chance), Marks(chance)
    state = Path(config["state"]["directory"])
    with run_gateway(config) as gateway:
        directories = [state, gateway.log_path.parent]
        async with visit(gateway) as teller:
            await talk(teller, vendor, kept)
            for stream in (True, False):
                await talk(teller, vendor, hidden, store=False, stream=stream)
            await fail(teller, vendor, failed, store=False)
            parent = await teller.ask("kept")
            continued = await teller.ask(
                hidden["input"], store=False, previous_response_id=parent.id
            )
            assert continued.output_text == hidden["input"]
        assert kept.found(directories) == set(PLACES)  # so the search finds what there is
        assert hidden.found(directories) == set()
        assert failed.found(directories) == set()
    assert kept.found(directories) == set(PLACES)
    assert hidden.found(directories) == set()
    assert failed.found(directories) == set()


async def test_what_was_deleted_is_in_no_file_after_the_next_start(
    config: Mapping[str, Any], run_gateway: RunGateway, visit: Visit, vendor: Vendor
) -> None:
    marks = Marks(random.Random(8))
    state = Path(config["state"]["directory"])
    with run_gateway(config) as gateway:
        async with visit(gateway) as teller:
            made = await teller.ask(marks["input"])
            assert marks.found([state]) == {"input"}
            await teller.client.responses.delete(made.id)
    with run_gateway(config):
        async with asyncio.timeout(PATIENCE):
            while True:
                if not marks.found([state]):
                    return
                await asyncio.sleep(0.02)  # it purges when it finds the time
