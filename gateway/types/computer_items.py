"""Items of computer use: what the model wants done on a screen, and the screenshot that follows."""

from typing import TYPE_CHECKING

from msgspec import UNSET, Struct

from gateway.types.content import ComputerScreenshot
from gateway.types.open import Unknown, open_union
from gateway.types.wire import Omittable, Tagged

__all__ = [
    "Click",
    "ComputerAction",
    "ComputerCall",
    "ComputerCallOutput",
    "DoubleClick",
    "Drag",
    "Keypress",
    "Move",
    "Point",
    "SafetyCheck",
    "Screenshot",
    "Scroll",
    "TypeText",
    "Wait",
]


class Point(Struct, frozen=True, kw_only=True):
    """A place on the screen, in pixels."""

    x: int
    y: int


class Click(Tagged, Struct, frozen=True, kw_only=True, tag="click"):
    """A click of *button*: "left", "right", "wheel", "back" or "forward"; `keys` are held."""

    x: int
    y: int
    button: str = "left"
    keys: Omittable[tuple[str, ...]] = UNSET


class DoubleClick(Tagged, Struct, frozen=True, kw_only=True, tag="double_click"):
    x: int
    y: int
    keys: Omittable[tuple[str, ...]] = UNSET


class Drag(Tagged, Struct, frozen=True, kw_only=True, tag="drag"):
    path: tuple[Point, ...]
    keys: Omittable[tuple[str, ...]] = UNSET


class Keypress(Tagged, Struct, frozen=True, kw_only=True, tag="keypress"):
    keys: tuple[str, ...]


class Move(Tagged, Struct, frozen=True, kw_only=True, tag="move"):
    x: int
    y: int
    keys: Omittable[tuple[str, ...]] = UNSET


class Screenshot(Tagged, Struct, frozen=True, kw_only=True, tag="screenshot"):
    pass


class Scroll(Tagged, Struct, frozen=True, kw_only=True, tag="scroll"):
    x: int
    y: int
    scroll_x: int
    scroll_y: int
    keys: Omittable[tuple[str, ...]] = UNSET


class TypeText(Tagged, Struct, frozen=True, kw_only=True, tag="type"):
    text: str


class Wait(Tagged, Struct, frozen=True, kw_only=True, tag="wait"):
    pass


if TYPE_CHECKING:
    ComputerAction = (
        Click
        | DoubleClick
        | Drag
        | Keypress
        | Move
        | Screenshot
        | Scroll
        | TypeText
        | Wait
        | Unknown
    )
else:
    ComputerAction = open_union(
        "ComputerAction",
        Click,
        DoubleClick,
        Drag,
        Keypress,
        Move,
        Screenshot,
        Scroll,
        TypeText,
        Wait,
    )


class SafetyCheck(Struct, frozen=True, kw_only=True):
    """A warning that the client must acknowledge before it goes on."""

    id: str
    code: Omittable[str] = UNSET
    message: Omittable[str] = UNSET


class ComputerCall(Tagged, Struct, frozen=True, kw_only=True, tag="computer_call"):
    """One `action` (preview) or several `actions`; clients reject the other one even as a null."""

    call_id: str
    id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET
    action: Omittable[ComputerAction] = UNSET
    actions: Omittable[tuple[ComputerAction, ...]] = UNSET
    pending_safety_checks: tuple[SafetyCheck, ...] = ()


class ComputerCallOutput(Tagged, Struct, frozen=True, kw_only=True, tag="computer_call_output"):
    call_id: str
    output: ComputerScreenshot
    id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET
    acknowledged_safety_checks: Omittable[tuple[SafetyCheck, ...]] = UNSET
    created_by: Omittable[str] = UNSET
