"""One tab of a browser, offered as the official SDK and as openai-agents want a computer."""

from __future__ import annotations

from typing import Any

from agents import AsyncComputer
from agents.computer import Environment
from openai.lib.computer import Screenshot

from .chromium import HEIGHT, WIDTH, Tab


class AgentsComputer(Tab, AsyncComputer):
    """The tab as openai-agents' computer: the methods are those of the tab."""

    @property
    def environment(self) -> Environment:
        return "browser"

    @property
    def dimensions(self) -> tuple[int, int]:
        return WIDTH, HEIGHT


class SdkDriver:
    """The tab as a driver of the official SDK's computer toolset."""

    def __init__(self, tab: Tab) -> None:
        self._tab = tab

    async def click(self, action: Any) -> None:
        await self._tab.click(action.x, action.y, action.button, keys=action.keys)

    async def double_click(self, action: Any) -> None:
        await self._tab.double_click(action.x, action.y, keys=action.keys)

    async def drag(self, action: Any) -> None:
        await self._tab.drag([(point.x, point.y) for point in action.path], keys=action.keys)

    async def keypress(self, action: Any) -> None:
        await self._tab.keypress(action.keys)

    async def move(self, action: Any) -> None:
        await self._tab.move(action.x, action.y, keys=action.keys)

    async def scroll(self, action: Any) -> None:
        by = action.scroll_x, action.scroll_y
        await self._tab.scroll(action.x, action.y, *by, keys=action.keys)

    async def type(self, action: Any) -> None:
        await self._tab.type(action.text)

    async def wait(self, action: Any) -> None:
        del action  # which does not say for how long
        await self._tab.wait()

    async def screenshot(self) -> Screenshot:
        image = await self._tab.screenshot()
        return {"type": "computer_screenshot", "image_url": f"data:image/png;base64,{image}"}
