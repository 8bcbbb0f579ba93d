"""Overview: what the study says in three sentences, its curve, its best dimensions, and where to look first."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import choice
import markup
import panels
import reads
import streamlit as st
from drawings import Drawing, command
from tabulated import runs_table

from latentlab.codes.dimensions import clearest
from latentlab.runs.answers import Answer, best_setting, failed_runs, recurring_dimensions
from latentlab.runs.run import Run
from latentlab.runs.seeds import first_seeds
from latentlab.runs.verdicts import heading_of
from latentlab.system.png import data_uri, strip

SCORES = 2  # that fit where the curve is
CURVE = 340  # pixels of height: the answers and the curve fit the first screen
PLACES = ("first", "second", "third")  # dimensions of a run that are shown
HEIGHT = 26  # pixels of a strip: three of nine square frames fit a page of 1280 pixels
WIDE = 1.5  # times as wide as tall: of such pictures every second one is shown
LINKS = 3
SETTINGS = 12  # at most, whose strips are drawn: every second, third … of more


def page() -> None:
    """The whole page."""
    _leave()
    choice.leave_for_run()
    chosen = reads.study()
    panels.head(
        "Overview",
        reads.counted(),
        "overview",
        make=command("compare", chosen.path),
        data=reads.table,
        on_pick=choice.open_run,
    )
    left, right = st.columns([0.54, 0.46], gap="large")
    best, failed, recurring = (left.empty() for _ in range(3))
    _links(left)
    with right:
        _curve()
    strips = st.container()
    with st.container():
        panels.show(panels.heading("Runs", "", "h2"))
        runs_table("overview")
    # What takes long comes last: each answer appears in its place as soon as it is known.
    _answer(best, lambda: best_setting(reads.table(), reads.judged()))
    _answer(failed, lambda: failed_runs(reads.table(), reads.losses_at_rest()))
    with strips:
        _strips()
    _answer(recurring, lambda: recurring_dimensions(reads.recurring()))


def _answer(place: Any, find: Callable[[], Answer]) -> None:
    """A question, its answer, and below them what else is known, folded."""
    with place.container():
        answer, why = reads.attempt(find, None)
    if answer is None:
        place.html(_said("This cannot be answered", why, ()))
        return
    place.html(_said(answer.question, answer.sentence, answer.details))


def _said(question: str, sentence: str, details: tuple[str, ...]) -> str:
    more = "".join(f"<p>{html.escape(each)}</p>" for each in details)
    folded = f"<details><summary>Details</summary>{more}</details>" if details else ""
    return f'<div class="ll-answer"><h2>{html.escape(question)}</h2><b>{html.escape(sentence)}</b>{folded}</div>'


def _links(place: Any) -> None:
    """Where to look first: what went wrong, what β changes, the setting that leads, or what there is."""
    place.html('<div class="ll-answer" style="margin:0"><h2>Look here first</h2></div>')
    with place.container(gap=None):
        for number, (label, page, chosen) in enumerate(_looks()[:LINKS]):
            st.button(label, key=f"look-{number}", type="tertiary", on_click=_go, args=(page, chosen))


def _looks() -> list[tuple[str, str, dict[str, Any]]]:
    """A label, the page and what is chosen on it; the most telling first."""
    runs = _first_seeds()
    if not runs:
        return [("Health of the files", "health", {})]
    encoded = [run for run in runs if run.has("encode")]
    return [
        *_wrong(),
        *_pair([run for run in encoded if run.config.stochastic] or encoded),
        *_leading(encoded),
        ("How far seeds differ, and by which rule a setting is best", "sweep", {}),
        ("Whether the files belong together", "health", {"run": runs[0].name}),
        *(("The codes in two dimensions", "map", {"run": run.name}) for run in encoded[:1]),
    ]


def _first_seeds() -> list[Run]:
    """A run of each setting whose files can all be read."""
    sound = {run.name for run in reads.sound()}
    return [run for run in first_seeds(reads.table()) if run.name in sound]


def _wrong() -> list[tuple[str, str, dict[str, Any]]]:
    table = reads.table()
    bad = table[table["flags"].fillna("").str.contains("collapsed|diverged") & table["path"].notna()]
    for name, flags in zip(bad["run"], bad["flags"], strict=True):
        return [(f"{reads.label(name)}: {flags}", "dimensions", {"run": name})]
    return []


def _pair(runs: list[Run]) -> list[tuple[str, str, dict[str, Any]]]:
    """The setting with the least β next to that with the most, of those that decode where two do: what β changes."""
    families: dict[str, list[Run]] = {}
    for run in runs:
        families.setdefault(run.config.objective["name"], []).append(run)
    family = max(families.values(), key=len, default=[])
    decoding = [run for run in family if reads.decodes(run)]
    shown = decoding if len(decoding) > 1 else family if len(family) > 1 else runs
    if len(shown) < 2:
        return []
    first, last = shown[0], shown[-1]
    chosen = {"run": first.name, "beside": [last.name]}
    return [(f"{reads.label(first.name)} next to {reads.label(last.name)}, dimension by dimension", "compare", chosen)]


def _leading(runs: list[Run]) -> list[tuple[str, str, dict[str, Any]]]:
    """The dimensions of the setting with the best mean by the first score that beats its nulls."""
    by = {each.measure: each for each in reads.judged() if each.leader}
    settings = dict(zip(reads.table()["path"], reads.table()["setting"], strict=True))
    for measure in markup.by_use(list(by)):
        for run in runs:
            if settings[str(run.path)] == by[measure].leader and "do not beat" not in by[measure].reason:
                told = f"What the dimensions of {reads.label(run.name)} do (best mean {heading_of(measure)})"
                return [(told, "dimensions", {"run": run.name})]
    return [(f"What the dimensions of {reads.label(run.name)} do", "dimensions", {"run": run.name}) for run in runs[:1]]


def _go(page: str, chosen: dict[str, Any]) -> None:
    """Choose, and leave for a page: a callback itself may not change the page."""
    for key, value in {**chosen, "look": page}.items():
        st.session_state[key] = value


def _leave() -> None:
    if "look" in st.session_state:
        st.switch_page(f"views/{st.session_state.pop('look')}.py")


@panels.part
def _curve() -> None:
    """The rate–distortion curve, or the scores of runs that have no distortion."""
    metrics = markup.by_use(reads.table().attrs["metrics"])
    if reads.table()["distortion"].notna().any():
        drawing = Drawing("rate-distortion", reads.sound())
    elif metrics:
        drawing = Drawing("scores", reads.sound(), {"metrics": ",".join(metrics[:SCORES])})
    else:
        panels.explain("Nothing analysed yet", "", command("analyze", reads.study().path))
        return
    panels.figure(drawing, on_run=choice.open_run, height=CURVE)


@panels.part
def _strips() -> None:
    """The dimensions that say most about a factor, of one run per setting, by name and picture."""
    every = [run for run in _first_seeds() if run.has("traverse")]
    if not every:
        return
    runs = every[:: -(-len(every) // SETTINGS)]
    which = f"{len(runs)} of {len(every)} settings, one run each" if len(runs) < len(every) else "one run per setting"
    own = any((reads.ranked(run)["named_by"] == "user").any() for run in runs)
    best = f"{'those that you named, then ' * own}the dimensions that encode a factor best"
    facts = [f"{which}, {best}", "traversed from low to high"]
    make = command("report", reads.study().path, "-o", "report.html")
    panels.head("What the dimensions do", facts, "best", make=make, small=True, on_pick=choice.open_run)
    rows = [([f"<b>{html.escape(reads.label(run.name))}</b>", *_best(run)], run.name, "") for run in runs]
    panels.show(markup.rows_html([("run", "name"), *((place, "") for place in PLACES)], rows, "best"))
    choice.leave_for_run()


def _best(run: Run) -> list[str]:
    """The best dimensions of a run as cells: named by the user, or with the most mutual information, or the first."""
    order = clearest(reads.ranked(run))
    parts = reads.decodings(run)
    over = next(kind for kind in ("traversals-prior", "traversals-aggregate") if kind in parts)
    cells = [_cell(row, parts[over]) for row in order.head(len(PLACES)).to_dict("records")]
    return [*cells, *["–"] * (len(PLACES) - len(cells))]


def _cell(row: dict[str, Any], part: Any) -> str:
    pictures = part.pictures(part.images[int(row["index"])])
    every = 1 if pictures.shape[-1] <= WIDE * pictures.shape[-2] else 2
    name = row["name"] or row["top_factor"] or ""
    told = f"{row['dim']} · {name}" if name else row["dim"]
    mi = "" if markup.missing(row["mi"]) else f" <small>MI {markup.number(row['mi'])}</small>"
    image = data_uri(strip(pictures[::every]))
    words = html.escape(f"{told}, varied from low to high, other dimensions fixed")
    return f'{html.escape(told)}{mi}<br><img class="strip" style="height:{HEIGHT}px" alt="{words}" src="{image}">'


page()
