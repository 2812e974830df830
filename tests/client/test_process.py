"""The SDK as a guest in somebody's process: cheap to import, quiet at the end, safe to fork."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import gateway
from gateway.client.background import Background
from gateway.client.functions import DEFAULT
from gateway.testing.openai import ImitatedOpenAI
from gateway.testing.script import Fault

CALL = "gateway.responses(model='openai/o1-pro', input='hi')"
STREAM = "gateway.responses(model='openai/o1-pro', input='hi', stream=True)"
ASYNC_CALL = "gateway.aresponses(model='openai/o1-pro', input='hi')"


def run(script: str) -> subprocess.CompletedProcess[str]:
    """Run `script` in a new interpreter that shows every warning."""
    command = [sys.executable, "-W", "always", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_importing_the_package_loads_next_to_nothing() -> None:
    script = "import sys, gateway; print({'aiohttp', 'msgspec', 'asyncio'} & set(sys.modules))"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.stdout, done.stderr) == ("set()\n", "")


@pytest.mark.parametrize(
    "script",
    [
        f"{CALL}",
        f"stream = {STREAM}; next(stream)",
        f"list({STREAM})",
        f"asyncio.run({ASYNC_CALL}); asyncio.run({ASYNC_CALL})",
        f"asker = threading.Thread(target=lambda: {CALL}); asker.start(); asker.join()",
        f"{CALL}; sys.exit(0)",
    ],
    ids=["call", "half a stream", "stream", "two loops", "another thread", "sys.exit"],
)
def test_a_process_ends_without_a_complaint(
    openai: ImitatedOpenAI, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    # A name, not an address: resolving it takes asyncio's own threads.
    monkeypatch.setenv("OPENAI_BASE_URL", openai.url.replace("127.0.0.1", "localhost"))
    done = run(f"import asyncio, gateway, sys, threading\n{script}")
    assert (done.returncode, done.stderr) == (0, "")
    assert openai.requests


def test_a_process_ends_although_a_call_is_under_way(openai: ImitatedOpenAI) -> None:
    openai.fault = Fault.STALL
    done = run(
        "import contextlib, gateway, threading\n"
        "started = threading.Event()\n"
        "def ask():\n"
        "    with contextlib.suppress(BaseException):\n"
        f"        with {STREAM} as stream:\n"
        "            for event in stream:\n"
        "                started.set()\n"
        "threading.Thread(target=ask, daemon=True).start()\n"
        "started.wait()\n"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert openai.wait_for_departure().json()["stream"] is True


def test_the_gateway_is_closed_before_the_process_ends(openai: ImitatedOpenAI) -> None:
    names = "print(*(thread.name for thread in threading.enumerate()))"
    done = run(
        "import atexit, gateway, threading\n"
        f"atexit.register(lambda: {names})\n"  # registered first, so called last
        f"{CALL}\n"
        f"{names}\n"
    )
    running, left = (line.split() for line in done.stdout.splitlines())
    assert {"MainThread", "gateway", "gateway-store"} == set(running)
    assert left == ["MainThread"]


def test_a_call_that_waits_to_try_again_ends_with_the_gateway(openai: ImitatedOpenAI) -> None:
    openai.limited = True
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(gateway.responses, model="openai/o1-pro", input="hi")
        openai.wait_for_arrival()
        DEFAULT.stop()
        with pytest.raises((CancelledError, gateway.UpstreamError)):
            call.result(10)


@pytest.fixture
def background(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Background:
    """A gateway in a thread of its own, which the test stops."""
    monkeypatch.setenv("GATEWAY_HOME", str(tmp_path))
    return Background(gateway.Gateway())


def test_a_call_that_begins_while_the_gateway_stops_is_cancelled(
    background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopper = threading.Thread(target=background.stop)

    class Calls(set[Future[None]]):
        def add(self, call: Future[None], /) -> None:
            stopper.start()
            stopper.join(0.1)  # time enough to miss this call, for one that does not wait for it
            super().add(call)

    monkeypatch.setattr(background, "_calls", Calls())
    with pytest.raises(CancelledError):
        background.wait(asyncio.sleep(60))
    stopper.join()


def test_a_call_after_the_end_of_its_gateway_is_cancelled(background: Background) -> None:
    background.stop()
    with pytest.raises(CancelledError):
        background.wait(asyncio.sleep(0))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(background.hand_over(asyncio.sleep(0)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_calls_for_itself_and_leaves_its_parents_connections_alone(
    openai: ImitatedOpenAI,
) -> None:
    done = run(
        "import gateway, os, warnings\n"
        "warnings.simplefilter('ignore', DeprecationWarning)\n"  # forking with threads, from 3.12
        f"stream = {STREAM}; next(stream)\n"
        f"{CALL}\n"
        "child = os.fork()\n"
        f"print({CALL}.status)\n"
        "if child:\n"
        "    _, status = os.waitpid(child, 0)\n"
        "    print(len(list(stream)), status)\n"
    )
    assert done.stdout.split() == ["completed", "completed", "10", "0"]
    assert done.stderr == ""


@pytest.fixture
def interruptible() -> Generator[None]:
    """A process that was started in the background may have been told to ignore interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_call_is_cancelled_upstream(openai: ImitatedOpenAI) -> None:
    openai.fault = Fault.STALL
    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        openai.wait_for_arrival()
        signal.pthread_kill(main, signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        gateway.responses(model="openai/o1-pro", input="hi")
    interrupter.join()
    assert openai.wait_for_departure().json()["input"] == "hi"


def test_an_interrupt_while_a_call_is_handed_over_cancels_it_upstream(
    openai: ImitatedOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.responses(model="openai/o1-pro", input="hi")
    openai.wait_for_arrival()
    openai.fault = Fault.STALL
    assert DEFAULT._background is not None
    loop = DEFAULT._background._loop
    hand_over = loop.call_soon_threadsafe

    def hand_over_and_interrupt(*call: Any) -> None:
        hand_over(*call)
        if threading.current_thread() is threading.main_thread():
            monkeypatch.setattr(loop, "call_soon_threadsafe", hand_over)
            openai.wait_for_arrival()
            raise KeyboardInterrupt

    monkeypatch.setattr(loop, "call_soon_threadsafe", hand_over_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        gateway.responses(model="openai/o1-pro", input="again")
    assert openai.wait_for_departure().json()["input"] == "again"


def test_a_gateway_that_cannot_be_opened_says_why_and_may_be_tried_again(
    openai: ImitatedOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_SECRET", "short")
    with pytest.raises(gateway.ConfigError, match="fewer than 16"):
        gateway.responses(model="openai/o1-pro", input="hi")
    monkeypatch.delenv("GATEWAY_SECRET")
    assert gateway.responses(model="openai/o1-pro", input="hi").status == "completed"


def test_a_stopped_gateway_is_followed_by_another(openai: ImitatedOpenAI) -> None:
    gateway.responses(model="openai/o1-pro", input="hi")
    DEFAULT.stop()
    DEFAULT.stop()
    assert gateway.responses(model="openai/o1-pro", input="hi").status == "completed"
