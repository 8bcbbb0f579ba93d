"""Map: a picture of the codes coloured by a factor; what a lasso encloses is told and shown."""

from __future__ import annotations

import html
from typing import Any

import choice
import markup
import panels
import reads
import streamlit as st
from drawings import Drawing, command

from latentlab.codes import Codes
from latentlab.errors import LatentlabError
from latentlab.originals import images_of
from latentlab.pictures import data_uri, strip
from latentlab.runs import Run
from latentlab.selections import as_table, composition, holding, inside, marks, named, positions, together, values_of

PLANE = "plane"
NAMES = {"umap": "UMAP", "pca": "PCA", PLANE: "two dimensions"}
MONTAGE = 60
LONGEST = 2_000  # letters of row ids, which the address of the page must hold
ANY = "—"
RINGS = {"symbol": "circle-open", "size": 9, "color": "#D55E00", "line": {"width": 1.5}}


def page() -> None:
    """The whole page."""
    run = choice.current()
    if not run.has("encode"):
        panels.head("Map of the codes", [reads.label(run.name)], "map")
        fix = command("analyze", run.path)
        panels.explain(
            "No codes yet",
            "This run has been trained, but no data have been encoded with it. Make codes and projections with:",
            fix,
        )
        return
    _map(run)


@panels.part
def _map(run: Run) -> None:
    projected, why = reads.attempt(lambda: reads.projections(run), {})
    kinds = [kind for kind in ("umap", "pca") if kind in projected] + [PLANE]
    above = st.container()
    columns = st.columns([0.34, 0.18, 0.18, 0.3], vertical_alignment="bottom")
    choice.remember("picture", kinds, kinds[0])
    columns[0].segmented_control(
        "Picture", kinds, key="picture", format_func=lambda kind: NAMES[kind], required=True, persist_state="session"
    )
    choice.keep("picture")
    kind = st.session_state["picture"]
    options, xy, ids = _plane(run, columns) if kind == PLANE else _projection(run, kind)
    by = choice.colour() if choice.colour() in reads.factor_names(run) else None
    drawing = Drawing("plane" if kind == PLANE else "projection", (run,), {"by": by, **options})
    drawn = drawing.interactive()
    drawn.update_layout(dragmode="lasso")
    codes = reads.codes(run)
    with above:
        panels.head(
            "Map of the codes",
            [str(drawn.layout.meta["subtitle"])],
            "map",
            make=drawing,
            data=lambda: as_table(codes, positions(codes, ids)),
        )
    if len(kinds) == 1:
        why = why or "UMAP and PCA have not been made for this run."
        panels.explain("No projections", f"{why} Make them with:", command("analyze", run.path, "--only", "project"))
    key = f"map-{run.name}-{kind}-{'-'.join(map(str, options.values()))}"
    picture = st.container()
    one, two = st.columns(2, vertical_alignment="bottom")
    st.html(
        f'<p class="ll-note">{_caveat(kind)} Draw a lasso or a box around points, or name rows or a value, to see what '
        "they have in common.</p>"
    )
    by_id, why = reads.attempt(lambda: named(codes, _ids(one)), [])
    if why:
        panels.explain("No such rows", why)
    by_value, value = _value(codes, by, two)
    told = [f"{len(by_id):,} by id"] * bool(len(by_id)) + [f"{len(by_value):,} with {by} {value}"] * (value != ANY)
    if len(by_id):
        rings = marks(xy, ids, codes.row_ids[by_id])
        drawn = type(drawn)(drawn).add_scattergl(
            x=rings[:, 0], y=rings[:, 1], mode="markers", marker=RINGS, hoverinfo="skip", showlegend=False
        )
    with picture:
        panels.chart(drawn, key, on_select="rerun", selection_mode=("box", "lasso"))
    enclosed = _enclosed(codes, xy, ids, st.session_state[key].selection)
    if enclosed is not None:
        told = [f"{len(enclosed):,} of {len(ids):,} rows in this picture enclosed", *told]
    if told:
        _selected(run, codes, together(by_id, by_value, [] if enclosed is None else enclosed), told)


def _ids(place: Any) -> str:
    """Row ids as they were typed: what a lasso can choose can be chosen without a mouse."""
    if "rows" not in st.session_state:
        st.session_state["rows"] = st.query_params.get("rows", "")[:LONGEST]
    place.text_input("Row ids", key="rows", max_chars=LONGEST, placeholder="5, 17, 100-120", persist_state="session")
    _keep_or_drop("rows", "")
    return str(st.session_state["rows"])


def _value(codes: Codes, by: str | None, place: Any) -> tuple[Any, str]:
    """The rows of one value of the factor that colours the map."""
    if by is None:
        return [], ANY
    values = [ANY, *values_of(codes, by)]
    choice.remember("value", values, ANY)
    place.selectbox(f"Every row whose {by} is", values, key="value", persist_state="session")
    _keep_or_drop("value", ANY)
    value = st.session_state["value"]
    return (holding(codes, by, value) if value != ANY else []), value


def _keep_or_drop(key: str, nothing: str) -> None:
    if st.session_state[key] != nothing:
        choice.keep(key)
    else:
        st.query_params.pop(key, None)


def _caveat(kind: str) -> str:
    if kind == "umap":
        return "UMAP keeps neighbourhoods and gives up distances and densities: it is a picture, not the latent space."
    if kind == "pca":
        return "PCA keeps the two directions of largest variance: it is a picture, not the latent space."
    return "These are the codes themselves, two dimensions at a time."


def _projection(run: Run, method: str) -> tuple[dict[str, Any], Any, Any]:
    found = reads.projections(run)[method]
    return {"method": method}, found.xy, found.row_ids


def _plane(run: Run, columns: Any) -> tuple[dict[str, Any], Any, Any]:
    names = reads.ranked(run)["dim"].tolist()
    for key, column, default in (("x", columns[1], names[0]), ("y", columns[2], names[min(1, len(names) - 1)])):
        choice.remember(key, names, default)
        column.selectbox("Across" if key == "x" else "Up", names, key=key, persist_state="session")
        choice.keep(key)
    i, j = (int(st.session_state[key][1:]) for key in ("x", "y"))
    codes = reads.codes(run)
    return {"x": i, "y": j}, codes.mean[:, [i, j]], codes.row_ids


def _enclosed(codes: Codes, xy: Any, ids: Any, selection: Any) -> Any:
    """The positions of all rows, drawn as points or not, that a lasso or a box encloses; None where none was drawn."""
    polygons = [list(zip(area["x"], area["y"], strict=True)) for area in selection.get("lasso", [])]
    polygons += [_corners(area["x"], area["y"]) for area in selection.get("box", [])]
    polygons = [polygon for polygon in polygons if len(polygon) >= 3]
    if not polygons:
        return None
    within = inside(polygons[0], xy)
    for polygon in polygons[1:]:
        within |= inside(polygon, xy)
    return positions(codes, ids[within])


def _selected(run: Run, codes: Codes, rows: Any, told: list[str]) -> None:
    copied = f"{codes.of_rows:,} rows were encoded" if codes.of_rows > len(codes) else ""
    facts = [*told, f"{len(rows):,} of {len(codes):,} rows here", copied]
    panels.head("The selection", facts, "selection", small=True, data=lambda: as_table(codes, rows))
    if not len(rows):
        panels.explain("Nothing is inside", "No code lies inside what was drawn.")
        return
    left, right = st.columns([0.45, 0.55])
    with left:
        _composition(run, codes, rows)
    with right:
        _montage(run, codes, rows)


def _corners(x: list[float], y: list[float]) -> list[tuple[float, float]]:
    return [(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])]


def _composition(run: Run, codes: Codes, rows: Any) -> None:
    found = composition(codes, rows)
    if found.empty:
        panels.explain("No factors", "These data have no known factors or labels, so nothing can be counted.")
        return
    factors = reads.factor_names(run)
    strongest = found[found["lift"] > 1].sort_values("lift", ascending=False).groupby("factor", sort=False).head(3)
    order = strongest.drop_duplicates("factor")["factor"].tolist()
    strongest = strongest.sort_values("factor", key=lambda names: names.map(order.index), kind="stable")
    lines = [(_line(row, factors), "", "") for row in strongest.to_dict("records")]
    columns = [
        ("factor", ""),
        ("value", ""),
        ("rows", "num"),
        ("share here", ""),
        ("of all", "num"),
        ("× as often", "num"),
    ]
    st.html(markup.rows_html(columns, lines))
    st.html(
        '<p class="ll-note">The three most over-represented values of each factor, the most telling factor first.</p>'
    )


def _line(row: dict[str, Any], factors: tuple[str, ...]) -> list[str]:
    bar = f'{row["share"]:.0%}<span class="bar" style="width:{max(1, 80 * row["share"]):.0f}px"></span>'
    count, lift = f"{row['rows']:,}", markup.number(row["lift"], 1)
    return [
        markup.pill(row["factor"], factors),
        html.escape(row["value"]),
        count,
        bar,
        f"{row['share_of_all']:.0%}",
        lift,
    ]


def _montage(run: Run, codes: Codes, rows: Any) -> None:
    some = rows[:: max(1, len(rows) // MONTAGE)][:MONTAGE]
    try:
        images = images_of(reads.dataset(run), codes.row_ids[some])
    except LatentlabError as error:
        panels.explain("The images are not at hand", str(error))
        return
    crisp = " crisp" * (images.shape[-1] <= 32)
    alt = f"{len(some)} images of the selection"
    st.html(f'<img class="ll-wide{crisp}" alt="{alt}" src="{data_uri(strip(images, columns=12))}">')
    st.html(
        f'<p class="ll-note">{len(some)} of the {len(rows):,} selected images, evenly spread over their row ids.</p>'
    )


page()
