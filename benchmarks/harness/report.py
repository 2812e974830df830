"""The report: sections of Markdown, and their plots beside it."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct


class Table(Struct, frozen=True, kw_only=True):
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        rule = ("---",) * len(self.header)
        return "\n".join(f"| {' | '.join(row)} |" for row in (self.header, rule, *self.rows))


class Plot(Struct, frozen=True, kw_only=True):
    """A drawing: the name of its file, what it shows, and SVG."""

    file: str
    title: str
    svg: str


class Section(Struct, frozen=True, kw_only=True):
    """What is told of one group of workloads: how it was measured, and what came out."""

    title: str
    method: str
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    plots: tuple[Plot, ...] = ()

    def __str__(self) -> str:
        parts = [f"## {self.title}", self.method, *map(str, self.tables)]
        parts += ["\n".join(f"- {note}" for note in self.notes)] if self.notes else []
        parts += [f"![{plot.title}]({plot.file})" for plot in self.plots]
        return "\n\n".join(parts)


def write_report(folder: Path, preface: str, sections: Sequence[Section]) -> None:
    """Write `report.md` and all plots into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for section in sections:
        for plot in section.plots:
            (folder / plot.file).write_text(plot.svg)
    (folder / "report.md").write_text("\n\n".join([preface, *map(str, sections)]) + "\n")
