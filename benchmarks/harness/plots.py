"""Drawings in SVG: lines over numbers, and bars beside names."""

import math
from collections.abc import Mapping, Sequence
from html import escape

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 70
COLOURS = ("#4c72b0", "#dd8452", "#55a868", "#c44e52", "#8172b3", "#937860")


class Scale:
    """Maps numbers from `low` to `high` to pixels from `first` to `last`."""

    def __init__(
        self, span: tuple[float, float], pixels: tuple[float, float], *, log: bool
    ) -> None:
        self._log = log
        self.low, self.high = span if log else round_span(*span)
        self._first, self._last = pixels

    def __call__(self, value: float) -> float:
        low, high = self.low, self.high
        if self._log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        share = (value - low) / ((high - low) or 1)
        return self._first + share * (self._last - self._first)

    def ticks(self) -> list[float]:
        if self._log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)))
            ticks = [step * 10.0**power for power in powers for step in (1, 2, 5)]
            return [tick for tick in ticks if self.low <= tick <= self.high]
        step = tick_step(self.high - self.low)
        count = round((self.high - self.low) / step)
        return [self.low + number * step for number in range(count + 1)]


def tick_step(span: float) -> float:
    """Return a round number that goes about five times into `span`."""
    rough = span / 5
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough)


def round_span(low: float, high: float) -> tuple[float, float]:
    step = tick_step((high - low) or abs(high) or 1)
    return math.floor(low / step) * step, math.ceil(high / step) * step or step


def text(x: float, y: float, words: str, *, anchor: str = "middle", turned: bool = False) -> str:
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn}>{escape(words)}</text>'


def line(x: tuple[float, float], y: tuple[float, float]) -> str:
    return f'<line x1="{x[0]:.1f}" x2="{x[1]:.1f}" y1="{y[0]:.1f}" y2="{y[1]:.1f}" stroke="#ddd"/>'


def drawing(title: str, parts: Sequence[str]) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
            ' font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            text(WIDTH / 2, 22, title),
            *parts,
            "</svg>\n",
        ]
    )


def legend(names: Sequence[str]) -> list[str]:
    parts: list[str] = []
    for number, name in enumerate(names):
        x, y = LEFT + number * 140, HEIGHT - 12
        colour = COLOURS[number % len(COLOURS)]
        parts.append(f'<rect x="{x:.1f}" y="{y - 10}" width="10" height="10" fill="{colour}"/>')
        parts.append(text(x + 15, y, name, anchor="start"))
    return parts


def draw_lines(
    title: str, axes: tuple[str, str], series: Mapping[str, Points], *, log: bool = False
) -> str:
    """Draw one line through the points of each of `series`; `log` is about both axes.

    What is not positive has no place on those; it is drawn at the lowest.
    """
    xs = [x for points in series.values() for x, _ in points]
    ys = [y for points in series.values() for _, y in points if y > 0 or not log] or [1.0]
    lowest = min(ys) * 0.8 if log else 0.0
    across = Scale((min(xs), max(xs)), (LEFT, WIDTH - RIGHT), log=log)
    up = Scale((lowest, max(ys) * 1.05), (HEIGHT - BOTTOM, TOP), log=log)
    parts: list[str] = []
    for tick in up.ticks():
        parts += [line((LEFT, WIDTH - RIGHT), (up(tick), up(tick)))]
        parts += [text(LEFT - 8, up(tick) + 4, f"{tick:g}", anchor="end")]
    for tick in sorted(set(xs)) if log else across.ticks():
        parts += [text(across(tick), HEIGHT - BOTTOM + 18, f"{tick:g}")]
    for points, colour in zip(series.values(), COLOURS, strict=False):
        path = " ".join(f"{across(x):.1f},{up(max(y, lowest)):.1f}" for x, y in points)
        parts += [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>']
    parts += [text(WIDTH / 2, HEIGHT - 34, axes[0]), text(16, HEIGHT / 2, axes[1], turned=True)]
    return drawing(title, parts + legend(list(series)))


def draw_bars(title: str, axis: str, groups: Mapping[str, Mapping[str, float]]) -> str:
    """Draw a group of bars for each name, one bar for each of what it holds."""
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    highest = max(value for group in groups.values() for value in group.values())
    up = Scale((0, highest), (HEIGHT - BOTTOM, TOP), log=False)
    step = (WIDTH - LEFT - RIGHT) / len(groups)
    width = step * 0.8 / len(names)
    parts: list[str] = []
    for tick in up.ticks():
        parts += [line((LEFT, WIDTH - RIGHT), (up(tick), up(tick)))]
        parts += [text(LEFT - 8, up(tick) + 4, f"{tick:g}", anchor="end")]
    for place, (title_of_group, group) in enumerate(groups.items()):
        left = LEFT + place * step + step * 0.1
        parts += [text(left + step * 0.4, HEIGHT - BOTTOM + 18, title_of_group)]
        for name, value in group.items():
            number = names.index(name)
            x, y, height = left + number * width, up(value), HEIGHT - BOTTOM - up(value)
            parts += [
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{width * 0.9:.1f}" height="{height:.1f}"'
                f' fill="{COLOURS[number % len(COLOURS)]}"/>',
                text(x + width * 0.45, y - 4, f"{value:.2f}"),
            ]
    parts += [text(16, HEIGHT / 2, axis, turned=True)]
    return drawing(title, parts + legend(names))
