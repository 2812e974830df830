"""The transport against real sockets that misbehave in every way we know of."""

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncGenerator

import pytest
import trustme

from gateway.errors import (
    UpstreamError,
    UpstreamProtocolError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from gateway.plugin.deployment import Timeouts
from gateway.plugin.dialect import UpstreamRequest
from gateway.testing import (
    Fault,
    Script,
    ScriptedUpstream,
    deaf_port,
    event_stream,
    json_answer,
    page,
    redirect,
)
from gateway.upstream.transport import HttpAnswer, HttpTransport, TransportOptions

HURRIED = Timeouts(connect=0.1, first_byte=0.1, idle=0.1)
PATIENT = Timeouts()


@pytest.fixture
async def transport() -> AsyncGenerator[HttpTransport]:
    transport = HttpTransport()
    yield transport
    await transport.aclose()


def post(url: str, body: bytes = b"{}") -> UpstreamRequest:
    headers = {"content-type": "application/json", "authorization": "Bearer sk-secret"}
    return UpstreamRequest(url=f"{url}/v1/responses?key=secret", body=body, headers=headers)


async def failure(
    transport: HttpTransport, request: UpstreamRequest, timeouts: Timeouts = PATIENT
) -> UpstreamError:
    """Return what sending `request` raises, having seen that it tells no secret."""
    with pytest.raises(UpstreamError) as caught:
        await transport.send(request, timeouts)
    assert "secret" not in caught.value.message
    return caught.value


async def rest(answer: HttpAnswer) -> tuple[bytes, UpstreamError]:
    """Return the bytes that come before the answer breaks, and the error."""
    received = b""
    try:
        while chunk := await answer.chunk():
            received += chunk
    except UpstreamError as error:
        return received, error
    pytest.fail(f"the answer ended well after {received!r}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_a_request_arrives_as_it_was_given_and_its_answer_as_well(
    transport: HttpTransport,
) -> None:
    async with ScriptedUpstream(
        json_answer({"id": "1"}, headers={"X-Request-Id": "q"})
    ) as upstream:
        answer = await transport.send(post(upstream.url, b'{"a": 1}'), PATIENT)
        assert (answer.status, await answer.body()) == (200, b'{"id":"1"}')
        assert answer.headers["x-request-id"] == "q"
        assert await answer.chunk() == b""
        answer.close()
    [received] = upstream.requests
    assert (received.method, received.path, received.query) == (
        "POST",
        "/v1/responses",
        "key=secret",
    )
    assert received.body == b'{"a": 1}'
    assert received.headers["authorization"] == "Bearer sk-secret"
    assert received.headers["accept-encoding"] == "identity"
    assert received.headers["content-type"] == "application/json"


async def test_a_request_without_a_body_has_no_content_type(transport: HttpTransport) -> None:
    async with ScriptedUpstream(json_answer({}), json_answer({})) as upstream:
        for method in ("GET", "POST"):
            request = UpstreamRequest(url=f"{upstream.url}/v1/responses/resp_1", method=method)
            (await transport.send(request, PATIENT)).close()
    assert [received.method for received in upstream.requests] == ["GET", "POST"]
    assert not any("content-type" in received.headers for received in upstream.requests)


async def test_a_large_request_arrives_whole(transport: HttpTransport) -> None:
    body = bytes(range(256)) * 20_000
    async with ScriptedUpstream(json_answer({})) as upstream:
        await (await transport.send(post(upstream.url, body), PATIENT)).body()
    assert upstream.requests[0].body == body
    assert "content-disposition" not in upstream.requests[0].headers


async def test_chunks_come_as_they_are_sent(transport: HttpTransport) -> None:
    gate = asyncio.Event()
    async with ScriptedUpstream(event_stream(b"data: 1\n\n", gate, b"data: 2\n\n")) as upstream:
        answer = await transport.send(post(upstream.url), PATIENT)
        assert await answer.chunk() == b"data: 1\n\n"
        gate.set()
        assert await answer.chunk() == b"data: 2\n\n"
        assert await answer.chunk() == b""
        answer.close()


async def test_cookies_are_neither_kept_nor_sent(transport: HttpTransport) -> None:
    cookie = json_answer({}, headers={"set-cookie": "a=b"})
    async with ScriptedUpstream(cookie, json_answer({})) as upstream:
        for _ in range(2):
            await (await transport.send(post(upstream.url), PATIENT)).body()
    assert "cookie" not in upstream.requests[1].headers


async def test_a_body_compressed_against_our_wish_is_decoded(transport: HttpTransport) -> None:
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    async with ScriptedUpstream(
        Script(headers=headers, body=(gzip.compress(b'{"a": 1}'),))
    ) as upstream:
        answer = await transport.send(post(upstream.url), PATIENT)
        assert await answer.body() == b'{"a": 1}'
        assert answer.headers == {"content-type": "application/json"}


async def test_a_dead_port_is_unreachable(transport: HttpTransport) -> None:
    port = free_port()
    request = UpstreamRequest(url=f"http://user:secret@127.0.0.1:{port}/secret?secret")
    error = await failure(transport, request)
    assert type(error) is UpstreamUnreachableError
    assert error.message == f"no connection to 127.0.0.1:{port}: connection refused"


async def test_a_name_that_cannot_be_resolved_is_unreachable(transport: HttpTransport) -> None:
    error = await failure(transport, post("http://no-such-host.invalid"))
    assert type(error) is UpstreamUnreachableError
    assert "no-such-host.invalid cannot be resolved" in error.message


@pytest.mark.parametrize("url", ["", "ftp://host", "http://", "http://[", "nonsense", "http://a:b"])
async def test_an_address_that_is_none_is_unreachable(transport: HttpTransport, url: str) -> None:
    error = await failure(transport, UpstreamRequest(url=url))
    assert type(error) is UpstreamUnreachableError


async def test_a_key_with_a_line_break_is_told_without_showing_it(transport: HttpTransport) -> None:
    async with ScriptedUpstream() as upstream:
        request = UpstreamRequest(url=upstream.url, headers={"authorization": "Bearer secret\n"})
        error = await failure(transport, request)
    assert "check base_url, api_key and headers" in error.message


async def test_a_certificate_that_is_not_trusted_is_unreachable(transport: HttpTransport) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(server)
    async with ScriptedUpstream(tls=server) as upstream:
        error = await failure(transport, post(upstream.url))
    assert type(error) is UpstreamUnreachableError
    assert "is not trusted" in error.message


async def test_tls_towards_a_server_without_it_is_unreachable(transport: HttpTransport) -> None:
    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await failure(transport, post(f"https://127.0.0.1:{port}"))
    assert type(error) is UpstreamUnreachableError
    assert "no TLS connection" in error.message


async def test_a_trusted_certificate_is_accepted() -> None:
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    transport = HttpTransport(TransportOptions(tls=client))
    async with ScriptedUpstream(event_stream(b"x", Fault.STALL), tls=server) as upstream:
        answer = await transport.send(post(upstream.url), PATIENT)
        assert await answer.chunk() == b"x"
        answer.close()
        await upstream.disconnected()
        await transport.aclose()


async def test_a_port_that_does_not_react_is_a_connect_timeout(transport: HttpTransport) -> None:
    with deaf_port() as url:
        error = await failure(transport, post(url), Timeouts(connect=0.1))
    assert type(error) is UpstreamTimeoutError
    assert "within 0.1 seconds" in error.message
    assert "no connection to 127.0.0.1:" in error.message


async def test_a_stall_before_the_headers_is_a_first_byte_timeout(transport: HttpTransport) -> None:
    async with ScriptedUpstream(Script(before=(Fault.STALL,))) as upstream:
        error = await failure(transport, post(upstream.url), Timeouts(first_byte=0.1))
        assert type(error) is UpstreamTimeoutError
        assert "no answer from 127.0.0.1:" in error.message
        await upstream.disconnected()


async def test_an_upstream_that_does_not_read_is_a_first_byte_timeout(
    transport: HttpTransport,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        request = post(url, b"x" * 20_000_000)
        error = await failure(transport, request, Timeouts(first_byte=0.1))
    assert "no answer from 127.0.0.1:" in error.message


async def test_a_stall_before_the_body_is_a_first_byte_timeout(transport: HttpTransport) -> None:
    async with ScriptedUpstream(event_stream(Fault.STALL)) as upstream:
        answer = await transport.send(post(upstream.url), Timeouts(first_byte=0.1))
        received, error = await rest(answer)
        assert (received, type(error)) == (b"", UpstreamTimeoutError)
        assert "no answer from 127.0.0.1:" in error.message
        await upstream.disconnected()


async def test_a_stall_in_the_middle_is_an_idle_timeout(transport: HttpTransport) -> None:
    async with ScriptedUpstream(event_stream(b"data: 1\n\n", Fault.STALL)) as upstream:
        answer = await transport.send(post(upstream.url), Timeouts(idle=0.1))
        received, error = await rest(answer)
        assert (received, type(error)) == (b"data: 1\n\n", UpstreamTimeoutError)
        assert "sent nothing more for 0.1 seconds" in error.message
        await upstream.disconnected()


async def test_a_slow_stream_outlives_the_idle_timeout(transport: HttpTransport) -> None:
    pieces = [0.06, b"1"] * 5
    async with ScriptedUpstream(event_stream(*pieces)) as upstream:
        answer = await transport.send(post(upstream.url), Timeouts(first_byte=9, idle=0.2))
        assert await answer.body() == b"11111"


async def test_time_that_the_reader_takes_is_not_the_upstreams(transport: HttpTransport) -> None:
    gate = asyncio.Event()
    async with ScriptedUpstream(event_stream(b"1", gate, b"2")) as upstream:
        answer = await transport.send(post(upstream.url), HURRIED)
        await asyncio.sleep(0.3)
        assert await answer.chunk() == b"1"
        await asyncio.sleep(0.3)
        gate.set()
        assert await answer.body() == b"2"


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.RESET])
async def test_a_cut_stream_gives_what_came_and_then_fails(
    transport: HttpTransport, fault: Fault
) -> None:
    gate = asyncio.Event()
    async with ScriptedUpstream(event_stream(b"data: 1\n\nda", gate, fault)) as upstream:
        answer = await transport.send(post(upstream.url), PATIENT)
        assert await answer.chunk() == b"data: 1\n\nda"
        gate.set()
        received, error = await rest(answer)
    assert (received, type(error)) == (b"", UpstreamProtocolError)


async def test_what_came_before_the_cut_is_read_even_late(transport: HttpTransport) -> None:
    async with ScriptedUpstream(event_stream(b"data: 1\n\nda", Fault.CUT)) as upstream:
        answer = await transport.send(post(upstream.url), PATIENT)
        upstream.add(json_answer({}))
        await (await transport.send(post(upstream.url), PATIENT)).body()  # time for the cut to come
        received, error = await rest(answer)
        assert (received, type(error)) == (b"data: 1\n\nda", UpstreamProtocolError)
        with pytest.raises(UpstreamProtocolError, match="broke off before its end"):
            await answer.chunk()


async def test_a_body_shorter_than_announced_is_a_failure(transport: HttpTransport) -> None:
    short = Script(headers={"content-length": "100"}, body=(b"{}",), close=True)
    async with ScriptedUpstream(short) as upstream:
        answer = await transport.send(post(upstream.url), PATIENT)
        with pytest.raises(UpstreamProtocolError, match="broke off"):
            await answer.body()


async def test_a_body_that_lasts_until_the_connection_ends_is_whole(
    transport: HttpTransport,
) -> None:
    async with ScriptedUpstream(Script(body=(b"{}",), framing="until_close")) as upstream:
        assert await (await transport.send(post(upstream.url), PATIENT)).body() == b"{}"


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.RESET])
async def test_a_new_connection_that_ends_without_an_answer_is_not_tried_again(
    transport: HttpTransport, fault: Fault
) -> None:
    async with ScriptedUpstream(Script(before=(fault,)), json_answer({})) as upstream:
        error = await failure(transport, post(upstream.url))
    assert type(error) is UpstreamUnreachableError
    assert len(upstream.requests) == 1


async def test_what_is_not_http_is_a_protocol_error(transport: HttpTransport) -> None:
    async with ScriptedUpstream(Script(before=(b"SSH-2.0-nonsense\r\n\r\n",))) as upstream:
        error = await failure(transport, post(upstream.url))
    assert type(error) is UpstreamProtocolError


async def test_a_page_of_html_is_an_answer_like_any_other(transport: HttpTransport) -> None:
    async with ScriptedUpstream(page("<h1>Bad Gateway</h1>", status=502)) as upstream:
        answer = await transport.send(post(upstream.url), PATIENT)
        assert (answer.status, await answer.body()) == (502, b"<h1>Bad Gateway</h1>")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_refused(transport: HttpTransport, status: int) -> None:
    async with ScriptedUpstream() as elsewhere, ScriptedUpstream() as upstream:
        upstream.add(redirect(f"{elsewhere.url}/secret", status=status))
        error = await failure(transport, post(upstream.url))
    assert type(error) is UpstreamProtocolError
    assert f"redirect ({status})" in error.message
    assert elsewhere.requests == []


async def test_a_connection_is_used_again(transport: HttpTransport) -> None:
    async with ScriptedUpstream(*[json_answer({})] * 3, event_stream(b"x")) as upstream:
        for _ in range(4):
            answer = await transport.send(post(upstream.url), PATIENT)
            await answer.body()
            answer.close()
    assert (len(upstream.requests), upstream.connections) == (4, 1)


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.RESET])
@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_dead_pooled_connection_is_replaced_by_a_new_one(
    transport: HttpTransport, method: str, fault: Fault
) -> None:
    async with ScriptedUpstream() as upstream:
        gate = asyncio.Event()
        upstream.add(*[Script(body=(gate, b"{}"))] * 3)
        answers = [await transport.send(post(upstream.url), PATIENT) for _ in range(3)]
        gate.set()
        assert [await answer.body() for answer in answers] == [b"{}"] * 3
        upstream.add(Script(before=(fault,)), json_answer({"second": True}))
        request = UpstreamRequest(url=upstream.url, method=method, body=b"{}")
        assert await (await transport.send(request, PATIENT)).body() == b'{"second":true}'
        assert (len(upstream.requests), upstream.requests[-1].body) == (5, b"{}")
        assert upstream.connections == 4


async def test_a_request_is_sent_again_only_once(transport: HttpTransport) -> None:
    cut = Script(before=(Fault.CUT,))
    async with ScriptedUpstream(json_answer({}), cut, cut, json_answer({})) as upstream:
        await (await transport.send(post(upstream.url), PATIENT)).body()
        error = await failure(transport, post(upstream.url))
    assert type(error) is UpstreamUnreachableError
    assert (len(upstream.requests), upstream.connections) == (3, 2)


async def test_the_pool_has_a_limit_and_says_so_when_it_is_reached() -> None:
    transport = HttpTransport(TransportOptions(connections=5, connections_per_host=2))
    gate = asyncio.Event()
    async with ScriptedUpstream(*[event_stream(b"1", gate, b"2")] * 3) as upstream:
        held = [await transport.send(post(upstream.url), PATIENT) for _ in range(2)]
        error = await failure(transport, post(upstream.url), Timeouts(connect=0.1))
        assert type(error) is UpstreamTimeoutError
        assert "every connection of the pool is busy" in error.message
        gate.set()
        assert [await answer.body() for answer in held] == [b"12", b"12"]
        await (await transport.send(post(upstream.url), PATIENT)).body()
        assert upstream.connections == 2
        await transport.aclose()


async def test_the_pool_has_no_limit_of_its_own(transport: HttpTransport) -> None:
    many, gate = 1100, asyncio.Event()
    async with ScriptedUpstream(*[event_stream(b"1", gate, b"2")] * many) as upstream:
        sending = (transport.send(post(upstream.url), PATIENT) for _ in range(many))
        held = await asyncio.gather(*sending)
        gate.set()
        assert {await answer.body() for answer in held} == {b"12"}
        assert upstream.connections == many


async def test_closing_an_unfinished_answer_closes_its_connection_at_once(
    transport: HttpTransport,
) -> None:
    async with ScriptedUpstream(event_stream(b"1", Fault.STALL), json_answer({})) as upstream:
        answer = await transport.send(post(upstream.url), PATIENT)
        await answer.chunk()
        answer.close()
        await upstream.disconnected()
        answer.close()
        await (await transport.send(post(upstream.url), PATIENT)).body()
        assert upstream.connections == 2


async def test_cancelling_a_send_closes_the_connection_at_once(transport: HttpTransport) -> None:
    async with (
        ScriptedUpstream(Script(before=(Fault.STALL,))) as upstream,
        asyncio.TaskGroup() as tasks,
    ):
        sending = tasks.create_task(transport.send(post(upstream.url), PATIENT))
        await upstream.received()
        sending.cancel()
        await upstream.disconnected()


async def test_cancelling_a_chunk_closes_the_connection_at_once(transport: HttpTransport) -> None:
    async with (
        ScriptedUpstream(event_stream(Fault.STALL)) as upstream,
        asyncio.TaskGroup() as tasks,
    ):
        answer = await transport.send(post(upstream.url), PATIENT)
        reading = tasks.create_task(answer.chunk())
        await asyncio.sleep(0)  # it begins to read
        reading.cancel()
        await upstream.disconnected()


async def test_cancelling_an_upload_closes_the_connection_at_once(transport: HttpTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        request = post(f"http://127.0.0.1:{deaf.getsockname()[1]}", b"x" * 20_000_000)
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(transport.send(request, PATIENT))
            taken, _ = await asyncio.to_thread(deaf.accept)
            sending.cancel()
        with taken:
            assert await asyncio.to_thread(received_until_the_end, taken) < 20_000_000


def received_until_the_end(connection: socket.socket) -> int:
    size = 0
    try:
        while piece := connection.recv(1 << 20):
            size += len(piece)
    except ConnectionResetError:
        pass
    return size


async def test_a_body_read_whole_is_bounded() -> None:
    transport = HttpTransport(TransportOptions(body_limit=1000))
    piece = b"x" * 600
    async with ScriptedUpstream(event_stream(piece, piece, Fault.STALL)) as upstream:
        answer = await transport.send(post(upstream.url), PATIENT)
        with pytest.raises(UpstreamProtocolError, match="more than the 1000 bytes"):
            await answer.body()
        await upstream.disconnected()
    async with ScriptedUpstream(event_stream(*[piece] * 9)) as upstream:
        answer = await transport.send(post(upstream.url), PATIENT)
        total = 0
        while chunk := await answer.chunk():
            total += len(chunk)
        assert total == 5400
    await transport.aclose()


async def test_closing_the_transport_breaks_off_what_is_still_read() -> None:
    transport = HttpTransport()
    async with ScriptedUpstream(event_stream(b"1", Fault.STALL)) as upstream:
        answer = await transport.send(post(upstream.url), PATIENT)
        await answer.chunk()
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(rest(answer))
            await asyncio.sleep(0)
            await transport.aclose()
        assert type(reading.result()[1]) is UpstreamProtocolError
        await upstream.disconnected()


async def test_a_transport_that_was_never_used_can_be_closed() -> None:
    await HttpTransport().aclose()
