"""What is chosen once and holds on every page: the run, the factor that colours; kept in the page's address.

A page's own widgets use `remember` before and `keep` after they are drawn, so that a copied link restores them.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import reads
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from latentlab.errors import InputError
from latentlab.reports.terms import TERMS
from latentlab.runs.run import Run

COLLECTED = "collected"  # the one thing that the browser's Back leaves as it is
GLOSSARY = f'<dl class="ll-glossary">{"".join(f"<dt>{term}</dt><dd>{said}</dd>" for term, said in TERMS.items())}</dl>'
LONGEST = 60  # letters of an unknown value that are repeated


def _went_back() -> bool:
    """Whether the page is drawn because the browser went back or forward."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def unless_back(act: Callable[[], None]) -> Callable[[], None]:
    """An act of the user as the callback of a widget that has a value; going back or forward is none.

    Two quick Backs stop the script between forgetting and restoring what was chosen; the widget then looks changed.
    """

    def acted() -> None:
        if not _went_back():
            act()

    return acted


def restore() -> None:
    """After the browser's Back or Forward the address says everything; what was chosen since is forgotten."""
    if _went_back():
        for key in set(st.session_state) - {COLLECTED}:
            del st.session_state[key]


def title(page: str) -> None:
    """Name the browser's tab, and so the entry of its history: the page, the run, the study."""
    study = reads.study()
    run = [reads.label(current().name)] if study.runs else []
    st.set_page_config(page_title=" · ".join([page, *run, study.path.name]))


def choose(pages: Sequence[Any]) -> Any:
    """The sidebar: the pages, which run, which factor colours; the choices are kept in the page's address.

    Returns the place for `compared`, which is known after the page has run.
    """
    chosen = reads.study()
    with st.sidebar:
        path, name = html.escape(str(chosen.path)), html.escape(chosen.path.name)
        st.html(f'<div class="ll-brand">latentlab<small title="{path}">{name}</small></div>')
        with st.container(gap="xsmall"):
            for page in pages:
                st.page_link(page)
        if not chosen.runs:
            return st.container()
        names = [run.name for run in chosen.runs]
        label = reads.labels().__getitem__
        remember("run", names, reads.first_shown(), label=label, where="in this study")
        st.selectbox("Run (all pages)", names, key="run", format_func=label, on_change=unless_back(_keep_colour))
        keep("run")
        place = st.container()
        factors = _factors()
        if factors:
            remember("colour", factors, factors[0])
            st.selectbox("Colour by", factors, key="colour")
            keep("colour")
        with st.popover("Glossary", type="tertiary"):
            st.html(GLOSSARY)
    return place


def compared(place: Any) -> None:
    """The runs beside which Compare shows the chosen one: a click makes one of them the chosen one, in its place."""
    label, others = reads.labels(), st.session_state.get("beside", [])
    if others := [name for name in others if name in label]:
        told = "Click a run to show it on every page; the one shown now takes its place."
        act = unless_back(_exchange)
        place.pills("Compared with", others, key="instead", format_func=label.__getitem__, on_change=act, help=told)


def _exchange() -> None:
    before, chosen = st.session_state["run"], st.session_state["instead"]
    st.session_state["beside"] = [before if name == chosen else name for name in st.session_state["beside"]]
    st.session_state.update(run=chosen, instead=None)
    _keep_colour()


def _keep_colour() -> None:
    """A factor that the newly chosen run does not have is given up; every other choice stays."""
    if st.session_state.get("colour") not in _factors():
        st.session_state.pop("colour", None)


def _factors() -> tuple[str, ...]:
    """The factors to colour by; none where the run's codes cannot be read, which each page that needs them says."""
    found: tuple[str, ...] = reads.attempt(lambda: reads.factor_names(current()), ())[0]
    return found


def remember(
    key: str,
    options: Sequence[Any],
    default: Any,
    *,
    label: Callable[[Any], str] = str,
    where: str = "among the choices here",
) -> None:
    """Give a widget its value before it is drawn: what it had, else what the address says, else the default.

    A value of the address that is not `where` it is looked for is named at the top of the page, with what is shown
    instead, as `label` calls it.
    """
    if key not in st.session_state:
        asked = st.query_params.get(key)
        st.session_state[key] = next((option for option in options if str(option) == asked), default)
        if asked is not None and asked != str(st.session_state[key]):
            _miss(key, asked, where, label(default))
    elif st.session_state[key] not in options:
        st.session_state[key] = default


def _miss(key: str, asked: str, where: str, instead: str) -> None:
    st.session_state.setdefault("missing", []).append(
        f"{key} '{asked:.{LONGEST}}' is not {where}; showing {instead or 'the default'}."
    )


def missing() -> list[str]:
    """What the address asked for and is not there, a sentence each; told once."""
    sentences: list[str] = st.session_state.pop("missing", [])
    return sentences


def keep(key: str) -> None:
    """Write a widget's value into the page's address, so that a copied link restores it."""
    value = str(st.session_state[key])
    if st.query_params.get(key) != value:
        st.query_params[key] = value


def remember_several(key: str, options: Sequence[str], default: Sequence[str], *, most: int) -> None:
    """`remember` for a widget that holds several names, which stand in the address with commas between."""
    asked = st.query_params.get(key, "").split(",")
    kept = st.session_state.get(key, asked)
    known = [name for name in dict.fromkeys(kept) if name in options]
    if key not in st.session_state or len(known) < len(kept):
        for name in (name for name in asked if name and key not in st.session_state and name not in options):
            _miss(key, name, "among the choices here", ", ".join(known[:most] or default))
        st.session_state[key] = known[:most] or list(default)


def keep_several(key: str) -> None:
    """`keep` for a widget that holds several names."""
    value = ",".join(st.session_state[key])
    if st.query_params.get(key) != value:
        st.query_params[key] = value


def keep_unless(key: str, nothing: Any) -> Any:
    """`keep`, but where the value is `nothing` it is taken out of the address; the value."""
    value = st.session_state[key]
    if value is None or value == nothing:
        st.query_params.pop(key, None)
    else:
        keep(key)
    return value


def integer(place: Any, label: str, key: str, default: int | None, low: int, high: int | None, **more: Any) -> Any:
    """A whole number that is typed and kept in the address, or None where that is the default."""
    if key not in st.session_state:
        asked = st.query_params.get(key, "")
        value = int(asked) if asked.isdecimal() and len(asked) < 16 else default
        inside = value is not None and low <= value and (high is None or value <= high)
        st.session_state[key] = value if inside else default
        if asked and str(st.session_state[key]) != asked:
            _miss(key, asked, "a number that is possible here", "the default" if default is None else str(default))
    place.number_input(label, low, high, step=1, key=key, persist_state="session", **more)
    return keep_unless(key, default)


def current() -> Run:
    """The run chosen in the sidebar."""
    if not reads.study().runs:
        raise InputError("every run of this study is broken; see the Runs page")
    return reads.study()[str(st.session_state["run"])]


def colour() -> str | None:
    """The factor chosen in the sidebar; None where the data have none."""
    return st.session_state.get("colour")


def open_run(name: str) -> None:
    """Choose a run for every page; `leave_for_run` then goes to what its dimensions do."""
    if name in {run.name for run in reads.study().runs}:
        st.session_state["run"] = name
        st.session_state["open_run"] = True


def leave_for_run() -> None:
    """Go to the dimensions of a run that was just picked (a callback itself may not change the page)."""
    if st.session_state.pop("open_run", False):
        st.switch_page("views/dimensions.py")
