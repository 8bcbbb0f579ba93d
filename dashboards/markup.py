"""Tables as HTML: headings that say what they mean, rows that can be picked, factors on their colours."""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from latentlab.codes.decodings import Decodings
from latentlab.figures import _style
from latentlab.metrics._card import card
from latentlab.reports.terms import meaning
from latentlab.runs.choice import better
from latentlab.runs.verdicts import heading_of
from latentlab.system.png import data_uri, enlarged, strip
from latentlab.system.registry import load, names


class Sorting(NamedTuple):
    """By which of its columns a table can be sorted (a key per column), and by which it is, in which direction."""

    keys: Sequence[str]
    by: str = ""
    falling: bool = False


def rows_html(
    columns: Sequence[tuple[str, ...]],
    rows: Sequence[tuple[Sequence[str], str, str]],
    name: str = "",
    *,
    sorting: Sorting | None = None,
) -> str:
    """A table of ready HTML cells: `columns` are (heading, class), `rows` are (cells, key, class of the row).

    A row with a key can be picked by a click or by Enter. Cells must be escaped already. A heading that the table can
    be sorted by is a button, which `paged.py` listens to. A heading that `latentlab.reports.terms` does not explain,
    such as a run's name, brings its meaning as a third part of its column.
    """
    keys = [""] * len(columns) if sorting is None else sorting.keys
    heads = "".join(_head(*column, key=key, sorting=sorting) for column, key in zip(columns, keys, strict=True))
    body = "".join(_row(columns, cells, key, kind) for cells, key, kind in rows)
    return (
        f'<div class="ll-scroll"><table class="ll" data-table="{html.escape(name)}"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _head(text: str, kind: str, said: str = "", *, key: str = "", sorting: Sorting | None = None) -> str:
    """A heading with what it means; an empty one is a cell, as a heading would be one without a name."""
    if not text:
        return f'<td class="{kind}"></td>'
    said = html.escape(said or _of_metric(text) or meaning(text))
    if not key or sorting is None:
        return f'<th class="{kind}" scope="col" title="{said}">{html.escape(text)}</th>'
    way, mark = ("descending", " ▾") if sorting.falling else ("ascending", " ▴")
    way, mark = (way, mark) if sorting.by == key else ("none", "")
    button = f'<button type="button" data-sort="{html.escape(key)}">{html.escape(text)}{mark}</button>'
    return f'<th class="{kind}" scope="col" title="{said}" aria-sort="{way}">{button}</th>'


def _row(columns: Sequence[tuple[str, ...]], cells: Sequence[str], key: str, kind: str) -> str:
    picks = f' data-key="{html.escape(key)}" tabindex="0"' if key else ""
    inside = "".join(f'<td class="{css}">{cell}</td>' for cell, (_, css, *_) in zip(cells, columns, strict=True))
    current = ' aria-current="true"' if "on" in kind.split() else ""
    return f'<tr class="{kind}"{picks}{current}>{inside}</tr>'


def text(value: object) -> str:
    """A value as escaped text; a dash where there is none."""
    return "–" if missing(value) or value == "" else html.escape(str(value))


def number(value: Any, digits: int = 2) -> str:
    """A number with that many decimals and a true minus; a dash where there is none."""
    return "–" if missing(value) else f"{float(value):,.{digits}f}".replace("-", "−")


def half_width(low: Any, high: Any) -> str:
    """Half of an interval as it stands behind a value; as many decimals as it takes to be no bare zero."""
    half = (float(high) - float(low)) / 2
    return f"<small>± {half:.2f}</small>" if half >= 0.005 or half == 0 else f"<small>± {half:.1g}</small>"


def pill(name: str, names: Sequence[str]) -> str:
    """A factor's name on its colour, which is the same on every page and in every figure."""
    shade = _style.colours(names).get(name, _style.GREY)
    return f'<span class="pill" style="background:{shade};color:{_style.ink_on(shade)}">{html.escape(name)}</span>'


def missing(value: Any) -> bool:
    """Whether a cell of a table is empty: None, NaN or pandas' NA."""
    return value is None or str(value) in ("nan", "<NA>", "NaT")


@cache
def _metrics() -> dict[str, str]:
    """Metrics by what heads their columns."""
    return {heading_of(name): name for name in names("metrics")}


def _of_metric(heading: str) -> str:
    """What the metric of a column measures and how it errs; empty for other columns."""
    metric = _metrics().get(heading)
    if metric is None:
        return ""
    way = {"higher": "Higher is better. ", "lower": "Lower is better. "}.get(better(metric) or "", "")
    return f"{card(metric).metric.title}. {way}{card(metric).summary}"


def by_use(metrics: Sequence[str]) -> list[str]:
    """Metrics with those of the usual profile first, in its order."""
    first = list(load("analysis/score/profiles", "dlib").PROTOCOLS)
    return sorted(metrics, key=lambda name: (first.index(name) if name in first else len(first), name))


def caption(text: str) -> str:
    """A line of small text."""
    return f'<p class="ll-note">{html.escape(text)}</p>'


def strip_of(part: Decodings, index: int, alt: str, css: str = "strip") -> str:
    """The pictures of a dimension's traversal side by side; in another class than that of a row's strip, enlarged."""
    pictures = part.pictures(part.images[index])
    sheet = strip(pictures) if css == "strip" else enlarged(strip(pictures))
    return f'<img class="{css}" alt="{html.escape(alt)}" src="{data_uri(sheet)}">'
