"""A Chromium without a window, used through its DevTools protocol as a person uses a screen."""

from __future__ import annotations

import base64
import itertools
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

AnyTab = TypeVar("AnyTab", bound="Tab")

WIDTH, HEIGHT = 800, 600
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
BUTTONS = {"wheel": "middle"}  # the others have the same name in both languages
MODIFIERS = {"ALT": 1, "CTRL": 2, "META": 4, "SHIFT": 8}
KEYS = {
    "ALT": ("Alt", 18),
    "CTRL": ("Control", 17),
    "META": ("Meta", 91),
    "SHIFT": ("Shift", 16),
    "BACKSPACE": ("Backspace", 8),
    "DELETE": ("Delete", 46),
    "TAB": ("Tab", 9),
}
LISTENS = "DevTools listening on ws://"
LOADED = "new Promise(done => document.readyState == 'complete' ? done() : onload = () => done())"
TWO_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
EXPECT_SCROLLING = (
    "scrolled = new Promise(done => addEventListener('scrollend', done, {once: true})), 0"
)


def program() -> str | None:
    """Return the path of a Chromium on this machine, if there is one."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@contextmanager
def chromium(path: str, directory: Path) -> Generator[str]:
    """Run Chromium with its files in `directory`, and yield the address of its DevTools."""
    command = [
        path,
        "--headless",
        "--no-sandbox",  # which refuses to work for root, and the only page is ours
        "--disable-gpu",
        "--disable-smooth-scrolling",
        "--hide-scrollbars",
        f"--window-size={WIDTH},{HEIGHT}",
        f"--user-data-dir={directory}",
        "--remote-debugging-port=0",
    ]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None
        try:
            said = next((line for line in process.stderr if line.startswith(LISTENS)), "")
            assert said, f"{path} has ended, and listens nowhere"
            yield f"http://{said.removeprefix(LISTENS).split('/')[0]}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)  # Debian's program is a script that waits


@asynccontextmanager
async def open_tab(devtools: str, url: str, kind: type[AnyTab]) -> AsyncGenerator[AnyTab]:
    """Open `url` in a tab of its own, of this `kind`, and close that in the end."""
    async with aiohttp.ClientSession() as session:
        async with session.put(f"{devtools}/json/new?{url}") as answer:
            target = await answer.json()
        async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            tab = kind(socket)
            await tab.evaluate(LOADED)
            yield tab
        async with session.get(f"{devtools}/json/close/{target['id']}"):
            pass


class Tab:
    """Does on one page what a computer call asks for; `screens` are the screenshots, as PNG.

    Each method returns when the page has taken notice. All must be called one after the other.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.screens: list[bytes] = []
        self._socket = socket
        self._numbers = itertools.count()

    async def command(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while (answer := await self._socket.receive_json()).get("id") != number:
            pass  # events, which nobody has asked for
        assert "error" not in answer, answer["error"]
        return answer["result"]

    async def evaluate(self, script: str) -> Any:
        found = await self.command(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    async def click(
        self, x: int, y: int, button: str = "left", *, keys: Sequence[str] | None = None
    ) -> None:
        await self._click(1, x, y, button, keys)
        await self.wait()

    async def double_click(self, x: int, y: int, *, keys: Sequence[str] | None = None) -> None:
        for count in (1, 2):
            await self._click(count, x, y, "left", keys)
        await self.wait()

    async def drag(
        self, path: Sequence[tuple[int, int]], *, keys: Sequence[str] | None = None
    ) -> None:
        held: dict[str, Any] = {"button": "left", "buttons": 1, "keys": keys}
        await self._mouse("mousePressed", *path[0], clickCount=1, **held)
        for x, y in path[1:]:
            await self._mouse("mouseMoved", x, y, **held)
        await self._mouse("mouseReleased", *path[-1], clickCount=1, **held)
        await self.wait()

    async def move(self, x: int, y: int, *, keys: Sequence[str] | None = None) -> None:
        await self._mouse("mouseMoved", x, y, keys=keys)
        await self.wait()

    async def scroll(
        self, x: int, y: int, scroll_x: int, scroll_y: int, *, keys: Sequence[str] | None = None
    ) -> None:
        await self.evaluate(EXPECT_SCROLLING)
        await self._mouse("mouseWheel", x, y, deltaX=scroll_x, deltaY=scroll_y, keys=keys)
        await self.evaluate("scrolled.then(() => 0)")

    async def keypress(self, keys: Sequence[str]) -> None:
        for position, name in enumerate(keys):
            await self._key("rawKeyDown", name, keys[: position + 1])
        for position, name in reversed([*enumerate(keys)]):
            await self._key("keyUp", name, keys[:position])
        await self.wait()

    async def type(self, text: str) -> None:
        await self.command("Input.insertText", text=text)
        await self.wait()

    async def wait(self) -> None:
        await self.evaluate(TWO_FRAMES)

    async def screenshot(self) -> str:
        image = (await self.command("Page.captureScreenshot", format="png"))["data"]
        self.screens.append(base64.b64decode(image))
        return image

    async def _click(
        self, count: int, x: int, y: int, button: str, keys: Sequence[str] | None
    ) -> None:
        pressed: dict[str, Any] = {
            "button": BUTTONS.get(button, button),
            "clickCount": count,
            "keys": keys,
        }
        await self._mouse("mousePressed", x, y, **pressed)
        await self._mouse("mouseReleased", x, y, **pressed)

    async def _mouse(
        self, kind: str, x: int, y: int, *, keys: Sequence[str] | None, **more: Any
    ) -> None:
        await self.command(
            "Input.dispatchMouseEvent", type=kind, x=x, y=y, modifiers=held(keys or ()), **more
        )

    async def _key(self, kind: str, name: str, down: Sequence[str]) -> None:
        key, code = KEYS.get(name, (name.lower(), ord(name[0])))
        await self.command(
            "Input.dispatchKeyEvent",
            type=kind,
            key=key,
            windowsVirtualKeyCode=code,
            modifiers=held(down),
        )


def held(keys: Sequence[str]) -> int:
    """Return the modifiers among `keys`, as the protocol counts them."""
    return sum(MODIFIERS.get(key, 0) for key in keys)
