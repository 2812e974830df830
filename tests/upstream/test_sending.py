"""What one request under way knows of itself."""

import asyncio

import pytest

from gateway.plugin.deployment import Timeouts
from gateway.upstream.deadline import Deadlines
from gateway.upstream.sending import Sending, host_of


class FakeTransport(asyncio.Transport):
    aborted = False

    def abort(self) -> None:
        assert not self.aborted
        self.aborted = True


@pytest.fixture
def sending() -> Sending:
    timeouts = Timeouts(connect=1.5, first_byte=2.5)
    return Sending("https://key@api.example/v1?key=secret", timeouts, Deadlines())


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.example/v1?key=secret", "api.example"),
        ("http://user:secret@api.example:8080", "api.example:8080"),
        ("http://[::1]:80/", "[::1]:80"),
        ("http://[::1", "the upstream"),
        ("", "the upstream"),
    ],
)
def test_a_host_is_named_without_secrets(url: str, host: str) -> None:
    assert host_of(url) == host


async def test_what_is_late_is_what_was_waited_for(sending: Sending) -> None:
    assert "no connection to api.example within 1.5 seconds" in sending.late().message
    sending.has_connection(FakeTransport(), print)
    assert sending.late().message == "no answer from api.example within 2.5 seconds"
    sending.needs_connection()
    assert "no connection to api.example within 1.5 seconds" in sending.late().message


async def test_only_the_second_connection_must_be_new(sending: Sending) -> None:
    sending.needs_connection()
    assert not sending.again
    sending.has_connection(FakeTransport(), print)
    sending.needs_connection()
    assert sending.again


async def test_an_upload_that_ends_without_an_answer_is_dropped_unsent(sending: Sending) -> None:
    transport = FakeTransport()
    sending.has_connection(transport, print)
    sending.over()
    assert transport.aborted


async def test_a_connection_is_aborted_only_once(sending: Sending) -> None:
    transport = FakeTransport()
    sending.has_connection(transport, print)
    sending.abort()
    sending.abort()
    assert transport.aborted


async def test_an_answer_keeps_its_connection(sending: Sending) -> None:
    transport = FakeTransport()
    sending.has_connection(transport, print)
    sending.has_answer(print)
    sending.over()
    assert not transport.aborted
