"""Decode: what the decoder makes of any code: sliders, ways between two rows, samples, the manifold, an attribute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import choice
import panels
import reads
import rows
import streamlit as st
from drawings import Drawing, command
from sliding import sliders

from latentlab.codes.alignment import shared_row
from latentlab.codes.codes import Codes
from latentlab.codes.draws import SOURCE_NAMES, SOURCES, leaving
from latentlab.codes.masks import PARTS
from latentlab.codes.paths import WAYS
from latentlab.codes.selections import selections_of, values_of
from latentlab.codes.symbols import index_of
from latentlab.figures.code import moved_code, table
from latentlab.figures.filling import IMAGE
from latentlab.figures.interpolation import steps_of as steps_between
from latentlab.figures.manifold import steps_of
from latentlab.runs.run import Run

LONGEST = 400
BOTH, EACH, OTHERS = "both", "each", "all others"


def page() -> None:
    """The whole page."""
    run = choice.current()
    panels.head("Decode", [reads.label(run.name), "decode any code"], "decode")
    if not run.config.has_model:
        needed = "With a decoder this page would show the sample of any code. See the Map page for the codes."
        panels.explain("No decoder", f"{panels.NO_MODEL} {needed}")
        return
    if not run.decodes:
        panels.explain(
            "No decoder",
            "This model has only an encoder, so its codes cannot be decoded. See the Map page for its codes.",
        )
        return
    if not run.has("encode"):
        fix = command("analyze", run.path, "--only", "encode")
        panels.explain("No codes yet", "Codes show where the data lie in latent space. Compute them with:", fix)
        return
    _model, why = reads.attempt(lambda: reads.live(run), None)
    if why:
        _without_model(run, why)
        return
    if not run.encodes:
        panels.note("This model has only a decoder: its rows are samples from the prior, which have no data.")
    kinds = [kind for kind, (_, fits, _) in KINDS.items() if fits(run)]
    choice.remember("what", kinds, kinds[0])
    st.segmented_control(
        "What to decode",
        kinds,
        key="what",
        format_func=lambda kind: KINDS[kind][0],
        required=True,
        persist_state="session",
        label_visibility="collapsed",
    )
    choice.keep("what")
    KINDS[st.session_state["what"]][2](run)


def _without_model(run: Run, why: str) -> None:
    """What can be shown without the model: the traversals that were decoded when it was there."""
    why = why.replace(f"{run.path}/", "")
    if run.has("traverse"):
        _stored(run)
        why = f"The sliders show stored traversals; nothing else can be decoded: {why}"
    own = " The dashboard does not run your own code." if run.config.adapter is not None else ""
    panels.explain("Model not available", f"{why}.{own} A small study with weights is made by:", command("demo"))


@panels.part
def _stored(run: Run) -> None:
    facts = ["stored traversals, the nearest frame of each", reads.channels(run)]
    panels.head("One code, dimension by dimension", facts, "code", small=True)
    sliders([run], None, "z")


# What is typed: kept in the address, and out of it where it is the default


def _written(place: Any, label: str, key: str, **more: Any) -> str:
    if key not in st.session_state:
        st.session_state[key] = st.query_params.get(key, "")[:LONGEST]
    place.text_input(label, key=key, max_chars=LONGEST, persist_state="session", **more)
    return str(choice.keep_unless(key, ""))


def _one_of(place: Any, label: str, key: str, options: list[str], names: Mapping[str, str]) -> str:
    choice.remember(key, options, options[0])
    place.selectbox(label, options, key=key, format_func=lambda each: names.get(each, each), persist_state="session")
    return str(choice.keep_unless(key, options[0]))


def _row(place: Any, run: Run, label: str, key: str, **more: str) -> int | None:
    """The id of a row, typed or chosen by its picture."""
    with place:
        return rows.picker(run, label, key, **more)


# The parts


@panels.part
def _sliders(run: Run) -> None:
    above = st.container()
    one, two = st.columns([0.36, 0.64], vertical_alignment="bottom")
    codes = reads.codes(run)
    usual = _start(run, codes)
    default = "the prior's mean" if usual is None else f"row {codes.naming(usual)} (default)"
    asked = _row(one, run, f"Start {run.config.noun}", "at", otherwise=default)
    moved = _written(two, "Values set by hand", "z", placeholder="z3=1.5, z0=-0.4")
    row = usual if asked is None else asked
    (start, code), wrong = reads.attempt(lambda: moved_code(codes, row, moved), moved_code(codes, row, ""))
    if wrong:
        panels.explain("Not moved", wrong)
    with above:
        panels.head(
            "One code, dimension by dimension",
            [
                "from the prior's mean" if row is None else f"from row {codes.naming(row)}",
                "the most important dimensions first",
                reads.channels(run),
            ],
            "code",
            small=True,
            make=Drawing("code", (run,), {"row": row, "moved": None if wrong else moved or None}),
            data=lambda: table(start, code),
        )
    sliders([run], row, "z")
    if leaving(codes, code):
        panels.note(
            "Outside the data (farther from the rows' codes than 99 % of the rows): the decoder was not trained there."
        )


def _start(run: Run, codes: Codes) -> int | None:
    """A typical row; None where rows are draws from the prior."""
    return shared_row([codes]) if run.encodes else None


@panels.part
def _interpolation(run: Run) -> None:
    one, two, three, four = st.columns([0.32, 0.32, 0.18, 0.18], vertical_alignment="bottom")
    a, b = _row(one, run, "From row", "a"), _row(two, run, "To row", "b")
    way = _one_of(three, "Way", "way", [BOTH, *WAYS], {})
    steps = choice.integer(four, "Steps", "steps", steps_between(run), 2, 30)
    options = {"a": a, "b": b, "steps": steps, "way": None if way == BOTH else way}
    panels.figure(Drawing("interpolation", (run,), options))


@panels.part
def _samples(run: Run) -> None:
    one, two, three, _ = st.columns([0.25, 0.15, 0.15, 0.45], vertical_alignment="bottom")
    sources = [EACH, *SOURCES] if run.encodes else ["prior"]
    source = _one_of(one, "Drawn from", "source", sources, {EACH: "each in turn", **SOURCE_NAMES})
    count = choice.integer(two, "Samples", "count", 24 if run.config.form.ndim == IMAGE else 12, 1, 120)
    seed = choice.integer(three, "Seed", "seed", 0, 0, 2**31)
    options = {"source": None if source == EACH else source, "count": count, "seed": seed}
    panels.figure(Drawing("samples", (run,), options))


@panels.part
def _manifold(run: Run) -> None:
    one, two, three, four, _ = st.columns([0.15, 0.15, 0.15, 0.3, 0.25], vertical_alignment="bottom")
    names = reads.ranked(run)["dim"].tolist()
    x = _one_of(one, "x axis", "across", names, {})
    y = _one_of(two, "y axis", "up", [names[1], *(name for name in names if name != names[1])], {})
    steps = choice.integer(three, "Steps", "grid", steps_of(run), 2, 40)
    row = _row(four, run, "Others as in row", "around") if len(names) > 2 else None
    across, up = (index_of(name, run.config.latent_dim) for name in (x, y))
    options = {"x": across, "y": up, "steps": steps, "row": row}
    panels.figure(Drawing("manifold", (run,), options))


@panels.part
def _attribute(run: Run) -> None:
    one, two, three = st.columns([0.35, 0.35, 0.3], vertical_alignment="bottom")
    known = _groups(run)
    if not known:
        panels.explain(
            "No groups to compare",
            (
                "These data have no factors or labels, and no selection was saved. Select rows on the Map page and "
                "save them."
            ),
        )
        return
    default = known[-1]
    of = _one_of(one, "Rows with the attribute", "of", [default, *(each for each in known if each != default)], {})
    against = _one_of(two, "Rows without it", "against", [OTHERS, *known], {})
    row = _row(three, run, "Applied to row", "on")
    options = {"of": of, "against": None if against == OTHERS else against, "row": row}
    panels.figure(Drawing("attribute", (run,), options))


def _groups(run: Run) -> list[str]:
    """The selections that have been kept, and every value of every factor."""
    codes, factors = reads.codes(run), list(reads.factor_names(run))
    first = choice.colour()
    ordered = sorted(factors, key=lambda name: name == first)
    return [*selections_of(run.notes()), *(f"{name}={value}" for name in ordered for value in values_of(codes, name))]


@panels.part
def _filling(run: Run) -> None:
    one, two, three, _ = st.columns([0.2, 0.3, 0.15, 0.35], vertical_alignment="bottom")
    part = _one_of(one, "Hidden", "hide", list(PARTS), {})
    row = _row(two, run, "In row", "of_row")
    seed = choice.integer(three, "Seed", "chain", 0, 0, 2**31)
    panels.figure(Drawing("filling", (run,), {"part": part, "row": row, "seed": seed}))
    panels.note(
        "Each sample is the end of a Metropolis–Hastings chain over the code and the hidden pixels, which "
        "samples the model's p(hidden | given). sd: the pixel that varies most is white."
    )


def _always(run: Run) -> bool:
    return True


def _fillable(run: Run) -> bool:
    return run.encodes and run.config.stochastic and run.config.form.ndim == IMAGE


# Per part: its name, whether it fits a run, and what draws it.
KINDS: Mapping[str, tuple[str, Callable[[Run], bool], Callable[[Run], None]]] = {
    "sliders": ("Sliders", _always, _sliders),
    "interpolation": ("A → B", _always, _interpolation),
    "samples": ("Samples", _always, _samples),
    "manifold": ("Manifold", lambda run: run.config.latent_dim > 1, _manifold),
    "attribute": ("Attribute vector", lambda run: run.encodes, _attribute),
    "filling": ("Missing pixels", _fillable, _filling),
}

page()
