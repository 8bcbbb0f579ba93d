"""Tables as HTML: rows that can be picked, numbers with a true minus, factors on their colours."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any, NamedTuple

from latentlab.runs.choice import better

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")


SHORT = {
    "mig": "MIG",
    "dci": "DCI",
    "sap": "SAP",
    "factor_vae": "FactorVAE",
    "beta_vae": "β-VAE",
    "irs": "IRS",
    "unsupervised": "Gaussian TC",
    "elbo": "ELBO",
}


class Sorting(NamedTuple):
    """By which of its columns a table can be sorted (a key a column), and by which it is, in which direction."""

    keys: Sequence[str]
    by: str = ""
    falling: bool = False


def rows_html(
    columns: Sequence[tuple[str, str]],
    rows: Sequence[tuple[Sequence[str], str, str]],
    name: str = "",
    *,
    sorting: Sorting | None = None,
) -> str:
    """A table of ready HTML cells: `columns` are (heading, class), `rows` are (cells, key, class of the row).

    A row with a key can be picked by a click or by Enter. Cells must be escaped already. A heading that the table can
    be sorted by is a button, which `paged.py` listens to.
    """
    keys = [""] * len(columns) if sorting is None else sorting.keys
    heads = "".join(_head(text, kind, key, sorting) for (text, kind), key in zip(columns, keys, strict=True))
    body = "".join(_row(columns, cells, key, kind) for cells, key, kind in rows)
    return (
        f'<div class="ll-scroll"><table class="ll" data-table="{html.escape(name)}"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _head(text: str, kind: str, key: str, sorting: Sorting | None) -> str:
    if not key or sorting is None:
        return f'<th class="{kind}">{html.escape(text)}</th>'
    way, mark = ("descending", " ▾") if sorting.falling else ("ascending", " ▴")
    way, mark = (way, mark) if sorting.by == key else ("none", "")
    button = f'<button type="button" data-sort="{html.escape(key)}">{html.escape(text)}{mark}</button>'
    return f'<th class="{kind}" aria-sort="{way}">{button}</th>'


def _row(columns: Sequence[tuple[str, str]], cells: Sequence[str], key: str, kind: str) -> str:
    picks = f' data-key="{html.escape(key)}" tabindex="0"' if key else ""
    inside = "".join(f'<td class="{css}">{cell}</td>' for cell, (_, css) in zip(cells, columns, strict=True))
    return f'<tr class="{kind}"{picks}>{inside}</tr>'


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
    """A factor's name on its colour, which is the same on every page."""
    shade = COLOURS[list(names).index(name) % len(COLOURS)] if name in names else "#8A8A86"
    ink = "#1c1c1a" if shade in ("#E69F00", "#56B4E9") else "#fff"
    return f'<span class="pill" style="background:{shade};color:{ink}">{html.escape(name)}</span>'


def missing(value: Any) -> bool:
    """Whether a cell of a table is empty: None, NaN or pandas' NA."""
    return value is None or str(value) in ("nan", "<NA>", "NaT")


def metric_name(name: str) -> str:
    """A metric as a narrow column is headed; an arrow down where less is better."""
    return SHORT.get(name, name) + " ↓" * (better(name) == "lower")


def by_use(metrics: Sequence[str]) -> list[str]:
    """Metrics with those most often reported first."""
    return sorted(metrics, key=lambda name: (list(SHORT).index(name) if name in SHORT else len(SHORT), name))
