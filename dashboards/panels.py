"""What a panel is made of: its head, explanations, charts, and parts that are redrawn by themselves.

All that a panel's head offers (copy link, copy command, add to report, download data, a row to pick) is put there by
`head`, and drawn by ``actions.js``: an action is added to every panel in these two places.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import choice
import collected
import markup
import reads
import streamlit as st
from drawings import Drawing

from latentlab.codes.codes import Codes
from latentlab.errors import LatentlabError
from latentlab.figures._markup import shown
from latentlab.runs.commands import command
from latentlab.runs.notes import unwritable
from latentlab.runs.run import Run

NO_MODEL = "These codes were imported without a model."
CHART = {"displaylogo": False, "displayModeBar": "hover", "modeBarButtonsToRemove": ["toImage"]}


NAMED = 24
HERE = Path(__file__).parent


ACTIONS = st.components.v2.component(
    "latentlab_actions",
    html='<div role="group"></div>',
    css=(HERE / "actions.css").read_text(encoding="utf-8"),
    js=(HERE / "actions.js").read_text(encoding="utf-8"),
)
HOVER = st.components.v2.component(
    "latentlab_hover",
    html='<img hidden alt="the sample of the row under the pointer">',
    css="img { position: fixed; z-index: 99; width: 96px; height: 96px; object-fit: contain; pointer-events: none; "
    "image-rendering: pixelated; background: #888; border: 1px solid #8A8A86; border-radius: 4px; }",
    js=(HERE / "hover.js").read_text(encoding="utf-8"),
)


def style() -> None:
    """The few rules of CSS that Streamlit's theme does not cover."""
    st.html(HERE / "style.css")


def part(draw: Callable[..., None]) -> Callable[..., None]:
    """A part of a page that is redrawn by itself; what cannot be shown is explained in its place."""

    @st.fragment
    @wraps(draw)
    def drawn(*arguments: Any) -> None:
        try:
            draw(*arguments)
        except LatentlabError as error:
            explain("This panel cannot be shown", str(error))

    return drawn


def head(
    title: str,
    facts: Sequence[str],
    key: str,
    *,
    make: str | Drawing = "",
    data: Any = None,
    small: bool = False,
    on_pick: Callable[[str], None] | None = None,
) -> None:
    """The head of a panel: title and facts at the left; link, command, report and data at the right.

    `make` is the figure that the panel shows, or else the command that makes the same on the command line; `data` gives
    the table behind it, where that is not the figure's own numbers. `on_pick` is called with the key of a row that was
    clicked in the table called `key`.
    """
    left, right = st.columns([0.6, 0.4], vertical_alignment="top")
    left.html(heading(title, " · ".join(fact for fact in facts if fact), "h2" if small else "h1"))
    with right.container(horizontal=True, horizontal_alignment="right", vertical_alignment="top", gap="small"):
        _actions(key, title, facts, make, data, on_pick)
        if data is not None or isinstance(make, Drawing):
            st.download_button(
                "Download data",
                data=lambda: collected.numbers(make if isinstance(make, Drawing) else None, data) or b"",
                file_name=f"{key}.csv",
                mime="text/csv",
                type="tertiary",
                key=f"download-{key}",
                on_click="ignore",
            )


def heading(title: str, said: str, tag: str) -> str:
    """A title and the facts below it, as HTML."""
    return f'<div class="ll-head"><{tag}>{html.escape(title)}</{tag}><p>{html.escape(said)}</p></div>'


def _actions(
    key: str,
    title: str,
    facts: Sequence[str],
    make: str | Drawing,
    data: Any,
    on_pick: Callable[[str], None] | None,
) -> None:
    name, command = f"actions-{key}", make.command() if isinstance(make, Drawing) else make
    report = (
        "" if not command and data is None else "in" if collected.key_of(title, command) in collected.items() else "out"
    )

    def picked() -> None:
        if on_pick is not None and (chosen := st.session_state[name].picked) is not None:
            on_pick(chosen)

    def added() -> None:
        if st.session_state[name].added is not None:
            collected.toggle(title, facts, make, data)

    told = {"title": title, "command": command, "table": key if on_pick else "", "report": report}
    ACTIONS(key=name, data=told, width="content", on_picked_change=picked, on_added_change=added)


def show(table: str) -> None:
    """A table made by `rows_html`."""
    st.html(table)


def note(text: str) -> None:
    """A quiet sentence below something."""
    st.html(markup.caption(text))


def notice(text: str) -> None:
    """A sentence that must not be overlooked, and that a screen reader says."""
    st.html(f'<p class="ll-notice" role="status">{html.escape(text)}</p>')


def unsaved(run: Run, what: str) -> None:
    """Say why names or selections of this run cannot be saved."""
    note(f"{what} cannot be saved: {unwritable(run)}.")


def explain(title: str, text: str, fix: str = "") -> None:
    """Say what is missing here, why, and the command that makes it."""
    st.html(f'<div class="ll-empty"><b>{html.escape(title)}</b>{html.escape(text)}</div>')
    if fix:
        st.code(fix, language="bash")


def no_codes(run: Run, title: str, view: str, parts: str) -> None:
    """A page of a run of which no data are encoded: its heading, and the command that makes `parts`."""
    head(title, [reads.label(run.name)], view)
    explain(
        "No codes yet",
        f"This run is trained, but no data have been encoded. Compute {parts} with:",
        command("analyze", run.path),
    )


def names_of(codes: Codes, rows: Any, said: str) -> None:
    """Rows by their names, where there are no samples to show: at most as many as are read at a glance."""
    several = ", ".join(codes.called(rows[:NAMED])) + (", …" if len(rows) > NAMED else "")
    st.html(markup.caption(f"{said} {several}"))


def chart(drawn: Any, key: str, **more: Any) -> Any:
    """A Plotly figure, with its words for those who do not see it."""
    return st.plotly_chart(drawn, key=key, config=CHART, alt=drawn.layout.meta["alt"], **more)


def picture(drawn: Any, key: str, run: Run, *, on_select: Callable[[], None]) -> None:
    """A chart of a run's rows: a selection is told by its corners, the one under the pointer by its image."""
    chart(drawn, key, on_select=choice.unless_back(on_select), selection_mode=("box", "lasso"))
    HOVER(key=f"hover-{key}", data={"chart": key, "run": run.name}, height=1)


def figure(drawing: Drawing, *, on_run: Callable[[str], None] | None = None, height: int | None = None) -> None:
    """A figure of the package; a point that stands for a run opens it. One of a given height has a heading alone."""
    drawn, kind = drawing.interactive(), drawing.kind
    title, said = str(drawn.layout.meta["title"]), str(drawn.layout.meta["subtitle"])
    if height is None:
        head(title, [said], kind, make=drawing, small=True)
    else:
        drawn = type(drawn)(drawn).update_layout(height=height)
        st.html(heading(title, said, "h2"))
    if on_run is None:
        chart(drawn, f"chart-{kind}")
        return

    def clicked() -> None:
        points = st.session_state[f"chart-{kind}"].selection.points
        if points and points[0].get("customdata"):
            on_run(shown(str(points[0]["customdata"][0])))

    chart(drawn, f"chart-{kind}", on_select=choice.unless_back(clicked), selection_mode="points")
    choice.leave_for_run()
