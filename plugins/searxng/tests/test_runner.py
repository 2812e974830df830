"""Searches, against a scripted server that answers in SearXNG's format. What it finds is
invented.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest

from gateway.errors import ConfigError, InvalidRequestError
from gateway.plugin import Config, Invocation, Secret, Source, ToolOutcome, ToolRunner, ToolSettings
from gateway.testing import (
    Fault,
    Script,
    ScriptedUpstream,
    event_stream,
    json_answer,
    page,
    redirect,
)
from gateway.types.items import WebSearchCall
from gateway.types.open import decode_hook
from gateway.types.tools import Tool
from gateway_searxng import gateway_tool_runners

KEY = "invented-credential"
NOWHERE = {"url": "http://127.0.0.1:9"}
OSLO: dict[str, Any] = {
    "url": "https://weather.example/oslo",
    "title": "Oslo",
    "content": "Rain\n all  day.",
    "publishedDate": "2026-11-01T08:00:00",
    "engine": "one",
    "engines": ["one"],
    "score": 1.0,
}
BLOG = {"url": "https://blog.weather.example/rain", "title": "Rain", "content": None}
SHOP = {"url": "http://shop.example/umbrella?id=1", "title": "", "content": "Buy."}


def config(settings: dict[str, str], seconds: float = 5.0) -> Config:
    secrets = {name: Secret(text) for name, text in settings.items()}
    tools = ToolSettings(call_seconds=seconds, runners={"searxng": secrets})
    state: Any = None  # a runner has no use for it
    return Config(state=state, tools=tools)


def found(*results: Any, **members: Any) -> Script:
    return json_answer({"query": "?", "results": results, "unresponsive_engines": [], **members})


def read_tool(**members: Any) -> Tool:
    return msgspec.convert({"type": "web_search", **members}, Tool, dec_hook=decode_hook)


@pytest.fixture
async def searxng() -> AsyncGenerator[ScriptedUpstream]:
    async with ScriptedUpstream() as server:
        yield server


@pytest.fixture
async def runner(searxng: ScriptedUpstream) -> AsyncGenerator[ToolRunner]:
    url = f"{searxng.url}/searxng/"
    (runner,) = gateway_tool_runners(config({"url": url, "api_key": KEY, "results": "2"}))
    async with runner:
        yield runner


async def search(runner: ToolRunner, query: str = "rain", **members: Any) -> ToolOutcome:
    arguments = msgspec.json.encode({"query": query}).decode()
    tool = read_tool(**members)
    runner.check(tool, "shop")
    return await runner.run(
        Invocation(tool=tool, name="web_search", arguments=arguments, tenant="shop")
    )


async def asked(searxng: ScriptedUpstream) -> str:
    form = parse_qs((await searxng.received()).body.decode())
    assert form.pop("format") == ["json"]
    (query,) = form.pop("q")
    assert not form
    return query


def urls(outcome: ToolOutcome) -> list[str]:
    assert outcome.error is None
    return [source.url for source in outcome.sources]


def test_nothing_is_offered_unless_the_operator_names_a_server() -> None:
    state: Any = None
    assert tuple(gateway_tool_runners(Config(state=state))) == ()


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({}, "url"),
        ({"url": "searx.example"}, "url"),
        ({"url": "https://user:word@searx.example"}, "url"),
        ({"url": "https://searx.example/?x=word"}, "url"),
        ({"url": "https://searx.example", "api_key": "word\n"}, "api_key"),
        ({"url": "https://searx.example", "results": "21"}, "results"),
        ({"url": "https://searx.example", "results": "word"}, "results"),
        ({"url": "https://searx.example", "language": "word"}, "language"),
    ],
)
def test_settings_that_make_no_sense_stop_the_start(settings: dict[str, str], key: str) -> None:
    with pytest.raises(ConfigError, match=rf"^tools\.runners\.searxng\.{key}: ") as raised:
        gateway_tool_runners(config(settings))
    assert "word" not in raised.value.message.replace("password", "")


async def test_the_model_reads_what_was_found_and_where(
    runner: ToolRunner, searxng: ScriptedUpstream
) -> None:
    searxng.add(found(OSLO, SHOP, BLOG))
    outcome = await search(runner)
    first, second, advice = outcome.output.split("\n\n")[1:]
    assert outcome.output.startswith("Results for: rain\n\n")
    assert first.splitlines() == [
        "1. Oslo",
        "   https://weather.example/oslo",
        "   2026-11-01 - Rain all day.",
    ]
    assert second.splitlines() == [
        "2. http://shop.example/umbrella?id=1",
        "   http://shop.example/umbrella?id=1",
        "   Buy.",
    ]
    assert "URL" in advice
    assert outcome.sources == (
        Source(url="https://weather.example/oslo", title="Oslo"),
        Source(url="http://shop.example/umbrella?id=1"),
    )
    received = await searxng.received()
    assert (received.method, received.path) == ("POST", "/searxng/search")
    assert received.headers["authorization"] == f"Bearer {KEY}"


async def test_a_credential_of_another_scheme_is_sent_as_it_is(searxng: ScriptedUpstream) -> None:
    searxng.add(found())
    (runner,) = gateway_tool_runners(config({"url": searxng.url, "api_key": "Basic aW52ZW50ZWQ="}))
    async with runner:
        await search(runner)
    assert (await searxng.received()).headers["authorization"] == "Basic aW52ZW50ZWQ="


async def test_a_page_is_told_once_and_only_if_it_can_be_named(
    runner: ToolRunner, searxng: ScriptedUpstream
) -> None:
    broken = [{**OSLO, "url": url} for url in (None, "javascript:1", "https://a.example/ b", 7)]
    searxng.add(found(*broken, SHOP, {**SHOP, "title": "again"}, OSLO))
    assert urls(await search(runner)) == [SHOP["url"], OSLO["url"]]


@pytest.mark.parametrize(("size", "count", "length"), [("low", 1, 201), ("high", 4, 1001)])
async def test_the_size_says_how_much_is_told(
    runner: ToolRunner, searxng: ScriptedUpstream, size: str, count: int, length: int
) -> None:
    many = [{**OSLO, "url": f"https://a.example/{n}", "content": "x" * 5000} for n in range(9)]
    searxng.add(found(*(one | {"publishedDate": None} for one in many)))
    outcome = await search(runner, search_context_size=size)
    assert len(outcome.sources) == count
    assert max(map(len, outcome.output.splitlines())) == len("   ") + length


@pytest.mark.parametrize(
    ("filters", "query", "pages"),
    [
        (
            {"allowed_domains": ["weather.example"]},
            "rain site:weather.example",
            [OSLO, BLOG],
        ),
        (
            {"allowed_domains": ["Blog.weather.example.", "shop.example"]},
            "rain (site:blog.weather.example OR site:shop.example)",
            [SHOP, BLOG],
        ),
        (
            {"blocked_domains": ["shop.example"], "allowed_domains": None},
            "rain -site:shop.example",
            [OSLO, BLOG],
        ),
        (
            {"allowed_domains": ["weather.example"], "blocked_domains": ["blog.weather.example"]},
            "rain site:weather.example -site:blog.weather.example",
            [OSLO],
        ),
        ({"allowed_domains": ["ather.example", *["b.example"] * 16]}, "rain", []),
    ],
)
async def test_pages_of_other_domains_are_left_out_whatever_the_engines_make_of_the_query(
    runner: ToolRunner,
    searxng: ScriptedUpstream,
    filters: dict[str, Any],
    query: str,
    pages: list[Any],
) -> None:
    searxng.add(found(OSLO, SHOP, BLOG, {**OSLO, "url": "https://[broken"}))
    outcome = await search(runner, filters=filters)
    assert await asked(searxng) == query
    assert urls(outcome) == [one["url"] for one in pages]


async def test_a_domain_is_the_same_in_every_spelling(
    runner: ToolRunner, searxng: ScriptedUpstream
) -> None:
    searxng.add(found({**OSLO, "url": "https://BÜCHER.example/1"}))
    outcome = await search(runner, filters={"allowed_domains": ["xn--bcher-kva.example"]})
    assert urls(outcome) == ["https://BÜCHER.example/1"]


async def test_the_model_is_told_where_the_user_is(runner: ToolRunner) -> None:
    location = {"type": "approximate", "country": "NO", "city": "Oslo", "region": None}
    told = read_tool(user_location=location)
    (function,) = await runner.functions(told, "shop", None)
    (plain,) = await runner.functions(read_tool(), "shop", None)
    assert "The user is in Oslo, NO:" in function.description
    assert "user" not in plain.description


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"filters": {"languages": ["no"]}}, "filters.languages"),
        ({"filters": {"allowed_domains": "a.example"}}, "filters.allowed_domains"),
        ({"filters": {"allowed_domains": ["a.example", 7]}}, "filters.allowed_domains[1]"),
        ({"filters": {"blocked_domains": ["https://a.example"]}}, "filters.blocked_domains[0]"),
        ({"filters": {"blocked_domains": ["a.example/b"]}}, "filters.blocked_domains[0]"),
        ({"filters": {"blocked_domains": ["a b"]}}, "filters.blocked_domains[0]"),
        ({"filters": {"blocked_domains": ["a..example"]}}, "filters.blocked_domains[0]"),
        ({"filters": {"blocked_domains": [""]}}, "filters.blocked_domains[0]"),
        ({"search_context_size": "huge"}, "search_context_size"),
        ({"search_content_types": ["image"]}, "search_content_types"),
        ({"user_location": {"type": "exact"}}, "user_location.type"),
        ({"user_location": {"type": "approximate", "street": "x"}}, "user_location.street"),
        ({"user_location": {"city": 7}}, "user_location.city"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(members: dict[str, Any], param: str) -> None:
    (runner,) = gateway_tool_runners(config(NOWHERE))
    with pytest.raises(InvalidRequestError) as raised:
        runner.check(read_tool(**members), "shop")
    assert raised.value.param == param


@pytest.mark.parametrize("kind", ["web_search_2025_08_26", "web_search_preview"])
def test_what_makes_no_difference_is_no_matter(kind: str) -> None:
    (runner,) = gateway_tool_runners(config(NOWHERE))
    runner.check(
        read_tool(type=kind, external_web_access=False, search_content_types=["text", "image"]),
        "shop",
    )


async def test_a_search_is_announced_with_its_query(runner: ToolRunner) -> None:
    arguments = '{"query": " rain "}'
    item = runner.announce(
        Invocation(tool=read_tool(), name="web_search", arguments=arguments, tenant="shop")
    )
    action = {"type": "search", "query": "rain", "queries": ["rain"]}
    assert item == WebSearchCall(status="in_progress", action=action)


@pytest.mark.parametrize("arguments", ["", "{", "[]", "{}", '{"query": 7}', '{"query": "  "}'])
async def test_arguments_without_a_query_are_told_to_the_model_only(
    runner: ToolRunner, searxng: ScriptedUpstream, arguments: str
) -> None:
    call = Invocation(tool=read_tool(), name="web_search", arguments=arguments, tenant="shop")
    assert runner.announce(call) is None
    outcome = await runner.run(call)
    assert outcome.error is not None
    assert '{"query": ' in outcome.output
    assert searxng.requests == []


async def test_nothing_found_is_no_failure(runner: ToolRunner, searxng: ScriptedUpstream) -> None:
    searxng.add(found())
    outcome = await search(runner)
    assert outcome.output == "Nothing was found for: rain"
    assert (outcome.error, outcome.sources) == (None, ())


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (page("Forbidden", status=403), (403, "allow the format json")),
        (page("no", status=429), (429, "limit")),
        (page("<html>"), (502, "no result in JSON")),
        (json_answer({"results": 7}), (502, "no result in JSON")),
        (Script(body=(b"[" * 100_000,)), (502, "no result in JSON")),
        (redirect("https://elsewhere.example/", status=302), (502, "redirects")),
        (found(unresponsive_engines=[["one", "timeout"]]), (502, "none of its engines")),
        (Script(body=(b" " * 1024 * 1024,) * 5), (502, "bytes that are read")),
        (event_stream(b'{"results": [', Fault.CUT), (502, "broke off")),
        (event_stream(b'{"results": [', Fault.RESET), (502, "broke off")),
    ],
)
async def test_a_search_that_fails_is_an_outcome_and_the_log_says_why(
    runner: ToolRunner,
    searxng: ScriptedUpstream,
    caplog: pytest.LogCaptureFixture,
    answer: Script,
    problem: tuple[int, str],
) -> None:
    code, reason = problem
    searxng.add(answer)
    with caplog.at_level(logging.WARNING):
        outcome = await search(runner, "a private matter")
    assert outcome.error is not None
    assert (outcome.error["type"], outcome.error["code"]) == ("http_error", code)
    assert outcome.output == "The search failed: the web cannot be searched now"
    assert len(searxng.requests) == 1
    assert reason in caplog.text
    assert "private" not in caplog.text
    for hidden in (KEY, searxng.url):
        assert hidden not in caplog.text + repr(outcome)


async def test_a_server_that_is_not_there_or_hangs_keeps_nobody_waiting(
    searxng: ScriptedUpstream,
) -> None:
    searxng.add(Script(before=(Fault.STALL,)))
    (slow,) = gateway_tool_runners(config({"url": searxng.url}, seconds=0.05))
    (gone,) = gateway_tool_runners(config(NOWHERE))
    async with slow, gone:
        outcomes = await asyncio.gather(search(slow), search(gone))
    assert [outcome.error and outcome.error["code"] for outcome in outcomes] == [504, 502]
