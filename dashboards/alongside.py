"""The projections of several runs side by side, each laid over the first, under one selection."""

from __future__ import annotations

import html
import re
from typing import Any

import choice
import markup
import pairs
import panels
import reads
import rows
import streamlit as st
from drawings import Drawing, command

from latentlab.codes.selections import as_table, inside, named, present, together
from latentlab.codes.symbols import symbols
from latentlab.figures.aligned_projections import OVERLAP
from latentlab.runs.images import pictures_of
from latentlab.runs.run import Run
from latentlab.system.numbers import percent
from latentlab.system.png import data_uri, enlarged, strip

NAMES = {"umap": "UMAP", "pca": "PCA"}
CORNERS = 40  # of a lasso, as many as the page's address keeps
MONTAGE = 36


@panels.part
def pictures(runs: list[Run]) -> None:
    """The panel: pictures of all runs, a lasso in one of them selects the same rows in each."""
    projected = [reads.projections(run) for run in runs]
    methods = [name for name in NAMES if all(name in each for each in projected)]
    if not methods:
        panels.head("Projections of the codes", [], "pictures", small=True)
        fix = command("analyze", reads.study().path, "--only", "project")
        panels.explain(
            "No projection in common", "The runs have no kind of projection in common. Compute projections with:", fix
        )
        return
    above, controls = st.container(), st.columns([0.25, 0.25, 0.5], vertical_alignment="bottom")
    method, by = _controls(runs, methods, controls)
    drawing = Drawing("aligned-projections", tuple(runs), {"method": method, "by": by})
    drawn = drawing.interactive()
    laid = pairs.aligned(runs, method)
    codes = reads.codes(runs[0])
    with above:
        told = str(drawn.layout.meta["subtitle"])
        panels.head(
            "Projections of the codes", [told], "pictures", small=True, make=drawing, data=lambda: _points(runs, laid)
        )
    chart = st.container()
    with controls[2]:
        typed = rows.several(runs[0], "Row ids", "rows")
    by_id, why = reads.attempt(lambda: codes.row_ids[named(codes, typed)], codes.row_ids[:0])
    if why:
        panels.explain("Rows not found", why)
    lasso = _lasso()
    enclosed: Any = laid[0].row_ids[inside(lasso[1], laid[lasso[0]].xy)] if lasso and lasso[0] < len(laid) else []
    chosen = together(by_id[present(by_id, laid[0].row_ids)], enclosed)
    with chart:
        shown = _selected_in(drawn, chosen) if lasso or len(by_id) else type(drawn)(drawn)
        shown.update_layout(dragmode="lasso")
        panels.picture(shown, "pictures-chart", runs[0], on_select=_drawn_lasso)
    panels.note(
        f"{NAMES[method]} is a projection, not the latent space. Draw a lasso or a box in any plot, or enter row "
        "ids: the same rows are selected in all plots."
    )
    _overlaps(runs, laid, chosen)
    if lasso or len(by_id):
        _selection(runs[0], chosen, len(laid[0].row_ids))


def _controls(runs: list[Run], methods: list[str], columns: Any) -> tuple[str, str | None]:
    choice.remember("projection", methods, methods[0])
    columns[0].segmented_control(
        "Picture", methods, key="projection", format_func=NAMES.__getitem__, required=True, persist_state="session"
    )
    choice.keep("projection")
    colour = choice.colour()
    ways = [OVERLAP, *([colour] if colour and all(colour in reads.factor_names(run) for run in runs) else [])][::-1]
    choice.remember("tint", ways, ways[0])
    columns[1].selectbox(
        "Colour",
        ways,
        key="tint",
        format_func=lambda way: "shared neighbours" if way == OVERLAP else way,
        persist_state="session",
    )
    choice.keep("tint")
    return str(st.session_state["projection"]), str(st.session_state["tint"])


def _lasso() -> tuple[int, list[tuple[float, float]]] | None:
    """The picture that a lasso was drawn in and its corners, from the page's address where it was drawn before."""
    if "lasso" not in st.session_state:
        asked = st.query_params.get("lasso", "")
        st.session_state["lasso"] = asked if re.fullmatch(r"\d:(-?[\d.e+-]+,-?[\d.e+-]+;){3,}", asked + ";") else ""
    choice.keep_unless("lasso", "")
    text = str(st.session_state["lasso"])
    if not text:
        return None
    picture, _, corners = text.partition(":")
    try:
        return int(picture), [(float(x), float(y)) for x, y in (corner.split(",") for corner in corners.split(";"))]
    except ValueError:
        return None


def _drawn_lasso() -> None:
    """Keep what was drawn; drawing nothing, by a double click, forgets it."""
    selection = st.session_state["pictures-chart"].selection
    areas = [*selection.get("lasso", []), *(_box(area) for area in selection.get("box", []))]
    if not areas:
        st.session_state["lasso"] = ""
        return
    area = areas[-1]
    picture = int(str(area.get("xref", "x")).removeprefix("x") or 1) - 1
    corners = list(zip(area["x"], area["y"], strict=True))
    few = corners[:: max(1, -(-len(corners) // CORNERS))]
    st.session_state["lasso"] = f"{picture}:" + ";".join(f"{x:.4g},{y:.4g}" for x, y in few)


def _box(area: Any) -> dict[str, Any]:
    x, y = area["x"], area["y"]
    return {"xref": area.get("xref", "x"), "x": [x[0], x[1], x[1], x[0]], "y": [y[0], y[0], y[1], y[1]]}


def _selected_in(drawn: Any, chosen: Any) -> Any:
    """A copy of the figure in which the chosen rows stand out in every picture: Plotly takes no selection from us."""
    copy = type(drawn)(drawn)
    for trace in copy.data:
        if trace.customdata is not None:
            trace.selectedpoints = present(trace.customdata, chosen).tolist()
    return copy


def _points(runs: list[Run], laid: list[Any]) -> Any:
    codes = reads.codes(runs[0])
    table = as_table(codes, codes.positions(laid[0].row_ids)).drop(columns=symbols(codes.latent_dim))
    return table.assign(
        **{
            f"{run.name} {axis}": each.xy[:, k]
            for run, each in zip(runs, laid, strict=True)
            for k, axis in enumerate("xy")
        }
    )


def _overlaps(runs: list[Run], laid: list[Any], chosen: Any) -> None:
    lines = []
    for run, picture in zip(runs[1:], laid[1:], strict=True):
        shared = pairs.overlap(runs[0], run, picture.row_ids)
        here = present(shared.row_ids, chosen)
        cells = [
            f"<b>{html.escape(reads.label(run.name))}</b>",
            f"{percent(shared.mean)} <small>chance {percent(shared.chance, 1)}</small>",
            percent(shared.share[here].mean()) if len(here) else "–",
            markup.number(picture.settings.get("aligned")),
        ]
        lines.append((cells, "", ""))
    names = [
        (f"compared with {reads.label(runs[0].name)}", ""),
        ("shared neighbours", ""),
        ("of the selected rows", "num"),
    ]
    panels.show(markup.rows_html([*names, ("projections alike, R²", "num")], lines))
    panels.note(
        f"Shared neighbours: of a row's {shared.neighbours} nearest codes among {len(shared.row_ids):,} rows, "
        "the share that is nearest in both runs (codes, not projections). Projections alike: R² after rotation, "
        "reflection and scaling onto the first (Procrustes)."
    )


def _selection(run: Run, chosen: Any, of: int) -> None:
    codes = reads.codes(run)
    here: Any = codes.positions(chosen) if len(chosen) else []
    facts = [f"{len(chosen):,} of {of:,} rows in common"]
    panels.head("Selected rows", facts, "chosen", small=True, data=lambda: as_table(codes, here))
    if not len(chosen):
        panels.explain("Nothing selected", "The area contains no rows.")
        return
    if not run.config.has_model:
        panels.names_of(codes, here[:: max(1, -(-len(here) // MONTAGE))], "Some of the selected rows, by name:")
        return
    some = codes.row_ids[here[:: max(1, -(-len(here) // MONTAGE))]]
    images, why = reads.attempt(lambda: pictures_of(run, reads.dataset(run), some), None)
    if images is None:
        panels.explain(f"{run.config.plural.capitalize()} not available", why)
        return
    alt = f"{len(some)} {run.config.plural} of the selected rows"
    st.html(f'<img class="ll-wide" alt="{alt}" src="{data_uri(enlarged(strip(images, columns=12)))}">')
    told = f"{len(some)} of the {len(here):,} selected {run.config.plural}, evenly spaced by row id"
    panels.note(" · ".join(filter(None, [told, reads.channels(run)])))
