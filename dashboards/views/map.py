"""Map: a picture of the codes coloured by a factor; what is selected in it is told and shown."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import choice
import explorer
import master_detail
import panels
import reads
import rows
import selected
import streamlit as st
from drawings import Drawing, command

from latentlab.codes.codes import Codes
from latentlab.codes.selections import (
    area_text,
    areas,
    as_table,
    holding,
    marks,
    named,
    present,
    selections_of,
    together,
    values_of,
    within,
)
from latentlab.codes.symbols import index_of, symbols
from latentlab.figures._markup import escaped
from latentlab.runs.run import Run

PLANE = "plane"
NAMES = {"umap": "UMAP", "pca": "PCA", PLANE: "two dimensions"}
CHART, WIDER = 0.62, 0.66  # of the width, for the chart, and for the map of all rows
CHART_ROWS, ALL_ROWS = "chart", "all"
SHOWN = {CHART_ROWS: "chart", ALL_ROWS: "all rows"}
LONGEST = 2_000  # letters of an area, which the address of the page must hold
ANY = "—"
ELLIPSES = 60
OUTLINE = {"type": "path", "line": {"color": "#D55E00", "width": 1.2, "dash": "dot"}, "layer": "above"}


def page() -> None:
    """The whole page."""
    run = choice.current()
    if not run.has("encode"):
        panels.no_codes(run, "Map of the codes", "map", "codes and projections")
        return
    reads.codes(run)  # where they cannot be read, that is said of the whole page
    _map(run)


@panels.part
def _map(run: Run) -> None:
    projected, why = reads.attempt(lambda: reads.projections(run), {})
    kinds = [kind for kind in ("umap", "pca") if kind in projected] + [PLANE]
    above = st.container()
    columns = st.columns([0.28, 0.13, 0.13, 0.28, 0.18], vertical_alignment="bottom")
    choice.remember("picture", kinds, kinds[0])
    columns[0].segmented_control(
        "Picture", kinds, key="picture", format_func=lambda kind: NAMES[kind], required=True, persist_state="session"
    )
    choice.keep("picture")
    kind = st.session_state["picture"]
    options, xy, ids = _plane(run, columns) if kind == PLANE else _projection(run, kind)
    over = _overlays(run, kind, columns[4])
    by = choice.colour() if choice.colour() in reads.factor_names(run) else None
    by = over.pop("by", by)
    drawing = Drawing("plane" if kind == PLANE else "projection", (run,), {"by": by, **options, **over})
    drawn = drawing.interactive()
    drawn.update_layout(dragmode="lasso")
    codes = reads.codes(run)
    with above:
        facts, table = [str(drawn.layout.meta["subtitle"])], lambda: as_table(codes, codes.positions(ids))
        panels.head("Map of the codes", facts, "map", make=drawing, data=table)
    key = "map-" + "-".join(map(str, (run.name, kind, *options.values())))
    everything = _everything(columns[3])
    if everything and kind == "pca":
        xy, ids = reads.placed(run, kind), codes.row_ids
    left, right = master_detail.parts(WIDER if everything else CHART)
    with left:
        chosen, told, kept = _chosen(run, codes, xy, ids, by, None if everything else drawn, key)
    with right:
        _told(run, codes, chosen, told, kept)
        if everything:
            explorer.way(run, codes)
    if len(kinds) == 1:
        why = why or "UMAP and PCA have not been computed for this run."
        panels.explain("No projections", f"{why} Compute them with:", command("analyze", run.path, "--only", "project"))


def _everything(place: Any) -> bool:
    """Whether all rows are shown, to pan and zoom, instead of the chart that a paper would have."""
    choice.remember("rows-shown", list(SHOWN), CHART_ROWS)
    place.segmented_control(
        "Rows", list(SHOWN), key="rows-shown", format_func=SHOWN.__getitem__, required=True, persist_state="session"
    )
    return bool(choice.keep_unless("rows-shown", CHART_ROWS) == ALL_ROWS)


def _chosen(
    run: Run, codes: Codes, xy: Any, ids: Any, by: str | None, drawn: Any | None, key: str
) -> tuple[Any, list[str], dict[str, Any]]:
    """The chart (without one, the map of all rows) and the ways to select in it.

    Returns the positions of the rows that are selected, how they were, and the saved selections among them.
    """
    chart = st.container()
    one, two, three = st.columns([0.4, 0.24, 0.36], vertical_alignment="bottom")
    with one:
        typed = rows.several(run, "Row ids", "rows")
    by_id, why = reads.attempt(lambda: named(codes, typed), [])
    if why:
        panels.explain("Rows not found", why)
    by_value, value = _value(codes, by, two)
    kept = selected.kept(run, three)
    told = [f"{len(by_id):,} by id"] * bool(len(by_id)) + [f"{len(by_value):,} with {by} {value}"] * (value != ANY)
    told += [f"{len(present(codes.row_ids, found)):,} of {name}" for name, found in kept.items()]
    by_filter: Any = []
    if drawn is None:
        by_filter, filtered = explorer.filtered(codes)
        told += [f"{len(by_filter):,} with {filtered}"] * bool(filtered)
    polygons = _area(key)
    enclosed: Any = [] if polygons is None else codes.positions(ids[within(polygons, xy)])
    if polygons is not None:
        of = f" (sample of {codes.of_rows:,})" if codes.of_rows > len(ids) else ""
        told = [f"{len(enclosed):,} of {len(ids):,} points selected{of}", *told]
    # The browser still shows what was drawn in it; a chart that is sent again would lose that, and take its time.
    with chart:
        if drawn is None:
            explorer.draw(run, xy, ids, by, polygons or [], key)
        else:
            outlines = [] if _selection(key) else polygons or []
            shown = _marked(drawn, xy, ids, {"row ids": codes.row_ids[by_id]} | kept, outlines)
            panels.picture(shown, key, run, on_select=lambda: _drawn(key))
        panels.note(_caveat(st.session_state["picture"]))
    by_name = [present(codes.row_ids, found) for found in kept.values()]
    return together(by_id, by_value, by_filter, enclosed, *by_name), told, kept


def _marked(drawn: Any, xy: Any, ids: Any, groups: dict[str, Any], outlines: Any) -> Any:
    """The chart with rings around the rows of each group and with areas drawn before; a copy if there are any."""
    found = {name: marks(xy, ids, some) for name, some in groups.items() if len(some)}
    copy = type(drawn)(drawn) if found or outlines else drawn
    for (name, places), tone in zip(found.items(), cycle(selected.TONES), strict=False):
        ring = {"symbol": "circle-open", "size": 9, "color": tone, "line": {"width": 1.5}}
        x, y = places[:, 0], places[:, 1]
        copy.add_scattergl(
            x=x, y=y, mode="markers", marker=ring, hoverinfo="skip", showlegend=False, name=escaped(name)
        )
    for polygon in outlines:
        copy.add_shape(path="M" + "L".join(f"{x},{y}" for x, y in polygon) + "Z", **OUTLINE)
    return copy


def _told(run: Run, codes: Codes, chosen: Any, told: list[str], kept: dict[str, Any]) -> None:
    """What is selected, or how to select."""
    if kept:
        selected.kept_notes(run, kept)
    if told:
        selected.told_of(run, codes, chosen, told)
        return
    panels.note(
        "Draw a lasso or a box around points (with Shift, several), or choose rows by id, by picture, by a factor's "
        "value or by a saved selection: their samples and what they have in common are shown here. A single row shows "
        "its nearest neighbours."
    )


def _drawn(key: str) -> None:
    """Keep what was drawn in the picture, as the address holds it; nothing where it was taken away."""
    selection = _selection(key)
    polygons = [list(zip(area["x"], area["y"], strict=True)) for area in selection.get("lasso", [])]
    polygons += [_corners(area["x"], area["y"]) for area in selection.get("box", [])]
    polygons = [polygon for polygon in polygons if len(polygon) >= 3]
    st.session_state["area"] = f"{key} {area_text(polygons)}" if polygons else ""


def _selection(key: str) -> dict[str, Any]:
    """What is drawn in the browser's chart now: its lassos and boxes."""
    found = st.session_state.get(key, {}).get("selection", {})
    return {kind: found[kind] for kind in ("lasso", "box") if found.get(kind)}


def _area(key: str) -> list[list[tuple[float, float]]] | None:
    """The polygons that are drawn in this picture; None where there are none, or they belong to another."""
    if "area" not in st.session_state:
        st.session_state["area"] = st.query_params.get("area", "")[:LONGEST]
    choice.keep_unless("area", "")
    where, _, text = str(st.session_state["area"]).partition(" ")
    if where != key or not text:
        return None
    found, why = reads.attempt(lambda: areas(text), None)
    if why:
        panels.explain("Area not found", why)
    return found


def _corners(x: list[float], y: list[float]) -> list[tuple[float, float]]:
    return [(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])]


def _overlays(run: Run, kind: str, place: Any) -> dict[str, Any]:
    """What lies over the picture: a traversal's path, posterior ellipses, the colours of saved selections."""
    names = [ANY, *symbols(run.config.latent_dim)]
    options: dict[str, Any] = {}
    with place.popover("Overlays", width="stretch"):
        choice.remember("path", names, ANY)
        st.selectbox("Traversal of", names, key="path", persist_state="session")
        choice.keep_unless("path", ANY)
        if st.session_state["path"] != ANY:
            options["path"] = index_of(st.session_state["path"], run.config.latent_dim)
            options["row"] = choice.integer(st, "around row (the mean)", "from", None, 0, None)
        if (
            kind == PLANE
            and run.config.stochastic
            and _on("ellipses", f"posterior σ of {ELLIPSES} {run.config.plural}")
        ):
            options["ellipses"] = ELLIPSES
        if reads.attempt(lambda: selections_of(run.notes()), {})[0] and _on("colours", "Colour by saved selections"):
            options["by"] = "selections"
    return options


def _on(key: str, label: str) -> bool:
    if key not in st.session_state:
        st.session_state[key] = st.query_params.get(key) == "True"
    st.checkbox(label, key=key, persist_state="session")
    choice.keep_unless(key, False)
    return bool(st.session_state[key])


def _value(codes: Codes, by: str | None, place: Any) -> tuple[Any, str]:
    """The rows of one value of the factor that colours the map."""
    values = [ANY, *(values_of(codes, by) if by is not None else [])]
    if len(values) == 1:
        return [], ANY
    choice.remember("value", values, ANY)
    place.selectbox(f"Rows with {by} =", values, key="value", persist_state="session")
    choice.keep_unless("value", ANY)
    value = st.session_state["value"]
    return (holding(codes, str(by), value) if value != ANY else []), value


def _caveat(kind: str) -> str:
    if kind == "umap":
        return "UMAP preserves neighbourhoods but not distances or densities: it is a projection, not the latent space."
    if kind == "pca":
        return "PCA shows the two directions of largest variance: it is a projection, not the latent space."
    return "These are the codes themselves, two dimensions at a time."


def _projection(run: Run, method: str) -> tuple[dict[str, Any], Any, Any]:
    found = reads.projections(run)[method]
    return {"method": method}, found.xy, found.row_ids


def _plane(run: Run, columns: Any) -> tuple[dict[str, Any], Any, Any]:
    names = reads.order(run)
    for key, column, default in (("x", columns[1], names[0]), ("y", columns[2], names[min(1, len(names) - 1)])):
        choice.remember(key, names, default)
        column.selectbox(f"{key} axis", names, key=key, persist_state="session")
        choice.keep(key)
    i, j = (index_of(st.session_state[key], run.config.latent_dim) for key in ("x", "y"))
    codes = reads.codes(run)
    return {"x": i, "y": j}, codes.mean[:, [i, j]], codes.row_ids


page()
