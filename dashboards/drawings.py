"""A figure of the package as a page shows it: for the screen, as a file, and as the command that draws it.

What a panel shows and a report collects is a `Drawing`: a kind of ``latentlab/figures``, its runs and its options.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import choice
import reads
import streamlit as st

from latentlab.figures import captioned, decodes, draw
from latentlab.figures._markup import shown
from latentlab.runs.commands import command
from latentlab.runs.run import Run
from latentlab.system.registry import load

DRAWN_ONE_BY_ONE = Lock()  # Matplotlib keeps its settings for the whole process


@dataclass(frozen=True)
class Drawing:
    """A kind of figure, the runs that it shows and its options (those of the kind's ``prepare``; None is unset)."""

    kind: str
    runs: tuple[Run, ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    def interactive(self, height: int | None = None) -> Any:
        """The Plotly figure, without the title that the panel's head says; with a height, close to its column's edges.

        It is shared: who changes it changes a copy.
        """
        return _interactive(self.kind, self._stamps(), tuple(sorted(self._given().items())), height, self.runs)

    def file(self, suffix: str, preset: str) -> bytes:
        """The figure as the bytes of a file."""
        return self.captioned(suffix, preset)[0]

    def captioned(self, suffix: str, preset: str) -> tuple[bytes, str]:
        """The figure as the bytes of a file, and its caption."""
        given = tuple(sorted(self._given().items()))
        return _file(self.kind, self._stamps(), given, suffix, preset, self.runs)

    def command(self, suffix: str = "pdf", preset: str | None = None) -> str:
        """The command that draws the same figure into a file."""
        study = reads.study()
        places = [study.path] if self.runs == tuple(study.runs) else [run.path for run in self.runs]
        given = [part for key, value in self._given().items() for part in ("--set", f"{key}={value}")]
        wide = ["--preset", preset] if preset else []
        return command("figure", self.kind, *places, *given, *wide, "-o", f"{self.kind}.{suffix}")

    def _given(self) -> dict[str, Any]:
        return {key: value for key, value in self.options.items() if value is not None}

    def _stamps(self) -> Any:
        return tuple((run.name, reads.stamp(run.path)) for run in self.runs)


# As a resource: a copy from st.cache_data is another text than the original, and a chart whose text changes loses its
# selection.
@st.cache_resource(max_entries=64, show_spinner="Drawing …")
def _interactive(kind: str, stamps: Any, options: Any, height: int | None, _runs: tuple[Run, ...]) -> Any:
    drawn = draw(kind, [reads.Cached(run.path) for run in _runs], **dict(options), **_model(kind, _runs))
    told = str(drawn.layout.title.text).rpartition("'>")[2].removesuffix("</span>").replace("<br>", " ")
    told = shown(told)
    titles = [each.text.count("<br>") + 1 for each in drawn.layout.annotations if each.y == 1 and each.yref == "paper"]
    drawn.update_layout(
        title=None,
        margin={"t": 16 * max(titles, default=1)},
        modebar={"bgcolor": "rgba(0,0,0,0)"},
        legend={} if drawn.layout.legend.orientation == "h" else {"y": 0.93},
        meta={**drawn.layout.meta, "subtitle": told},
    )
    if height is not None:
        drawn.update_layout(height=height, margin={"t": 8, "l": 8, "r": 8, "b": 8})
    return drawn


@st.cache_data(max_entries=32, show_spinner="Drawing …")
def _file(kind: str, stamps: Any, options: Any, suffix: str, preset: str, _runs: tuple[Run, ...]) -> tuple[bytes, str]:
    with DRAWN_ONE_BY_ONE:
        return captioned(kind, _runs, suffix, preset, **dict(options), **_model(kind, _runs))


def _model(kind: str, runs: tuple[Run, ...]) -> dict[str, Any]:
    """The option ``model`` of a kind that decodes again: the run's, or what gives the model of each of several runs."""
    if not decodes(kind):
        return {}
    if load("figures", kind).TAKES == "runs":
        return {"model": reads.live}
    return {"model": reads.live(runs[0])} if runs[0].has("encode") else {}


def shown_by(kind: str) -> tuple[Run, ...]:
    """The runs that a figure of that kind shows: all, or the one chosen in the sidebar."""
    return reads.sound() if load("figures", kind).TAKES == "runs" else (choice.current(),)
