"""What pages read: the study, its runs and what was made of them, cached on what each file says of itself.

A page reads through here alone, so that a file is opened once however many panels show it.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import streamlit as st

from latentlab.analysis.leakage.record import load_leakage
from latentlab.analysis.names.measure import Verdict
from latentlab.analysis.names.record import load_names
from latentlab.analysis.score.scorecard import scorecard as card
from latentlab.browser.rows import of_codes
from latentlab.codes.codes import Codes
from latentlab.codes.decodings import Decodings, anchor_of
from latentlab.codes.dimensions import dimensions, factors_of, with_names
from latentlab.codes.projections import Projection, place
from latentlab.codes.selections import levels
from latentlab.data import Dataset
from latentlab.errors import attempt as attempt
from latentlab.results import Score
from latentlab.runs.answers import losses
from latentlab.runs.choice import Choice, choices
from latentlab.runs.comparison import compare, over_all_rows, settings_of, summarise
from latentlab.runs.config import seeded
from latentlab.runs.convergence import Rest
from latentlab.runs.health import NOTES, TRAINED, environment, health
from latentlab.runs.images import dataset_of, picture_of
from latentlab.runs.projections import projections_of
from latentlab.runs.recurring import Recurring, recurring_in
from latentlab.runs.run import Run
from latentlab.runs.stage import stage, stages
from latentlab.runs.study import Study
from latentlab.runs.weights import has_weights
from latentlab.serving.shown import as_study, served_path
from latentlab.system.stamps import stamps

CODES, DECODINGS, PROJECTIONS = (tuple(stage(name).files) for name in ("encode", "traverse", "project"))
FILES = (*TRAINED, NOTES, *(file for each in stages().values() for file in each.files))


def stamp(path: Path, names: Collection[str] = FILES) -> str:
    """What a cached answer about files of a run depends on; another one each time while they may not be believed."""
    found = stamps(path, names)
    return sha256(repr(time.time_ns() if found is None else found).encode()).hexdigest()


@dataclass(frozen=True)
class Look:
    """A study as it was found, and what stands for the content of its files."""

    study: Study
    content: str


def study() -> Study:
    """The study that this server shows; its list of runs is at most two seconds old."""
    return _look(served_path()).study


@st.cache_resource(ttl=2, max_entries=2, show_spinner=False)
def _look(path: str) -> Look:
    found = as_study(Path(path))
    content = (path, found.broken, found.left_out, [(run.name, stamp(run.path)) for run in found.runs])
    return _kept(sha256(repr(content).encode()).hexdigest(), found)


@st.cache_resource(max_entries=2, show_spinner=False)
def _kept(content: str, _study: Study) -> Look:
    """The first look at files that have stayed the same since: its runs have read their configurations."""
    return Look(_study, content)


def table() -> Any:
    """`compare` of the whole study."""
    look = _look(served_path())
    return _table(look.content, look.study).copy(deep=False)


@st.cache_resource(max_entries=2, show_spinner="Reading the runs …")
def _table(content: str, _study: Study) -> Any:
    return compare(_study)


def counted() -> list[str]:
    """How many runs and settings the study has, and what could not be opened of it."""
    chosen, settings = study(), table()["setting"].dropna().nunique()
    facts = [
        f"{len(chosen.runs)} run{'s' * (len(chosen.runs) != 1)} of {settings} setting{'s' * (settings != 1)}",
        f"{len(chosen.broken)} broken" if chosen.broken else "",
        f"{len(chosen.left_out)} folder{'s' * (len(chosen.left_out) != 1)} left out" if chosen.left_out else "",
    ]
    return [fact for fact in facts if fact]


def judged() -> tuple[Choice, ...]:
    """Which setting is best by each score, if one is."""
    return _judged(_look(served_path()).content, table())


@st.cache_data(max_entries=2, show_spinner="Comparing the settings …")
def _judged(content: str, _table: Any) -> tuple[Choice, ...]:
    return choices(_table)


def losses_at_rest() -> dict[str, Rest | None]:
    """Whether the loss of each finished run still fell."""
    return _losses(_look(served_path()).content, table())


@st.cache_data(max_entries=2, show_spinner=False)
def _losses(content: str, _table: Any) -> dict[str, Rest | None]:
    return losses(_table)


def recurring() -> Recurring:
    """Which dimensions recur over the seeds of each setting of the study, by the users' names where there are some."""
    look = _look(served_path())
    names = tuple((run.name, stamp(run.path, [NOTES])) for run in look.study.runs)
    return _recurring(look.content, names, table())


@st.cache_data(max_entries=2, show_spinner="Matching the seeds …")
def _recurring(content: str, names: Any, _table: Any) -> Recurring:
    return recurring_in(_table)


def sound() -> tuple[Run, ...]:
    """The runs of the study whose files can all be read: those that a figure of several runs can show."""
    rows = table()
    unread = set(rows["run"][rows["error"].fillna("") != ""])
    return tuple(run for run in study().runs if run.name not in unread)


def settings() -> Any:
    """`summarise` of the whole study: one row per setting, scores over all rows as in the table of the runs."""
    return summarise(over_all_rows(table()))


def label(name: str) -> str:
    """A run as tables call it: its setting and its seed."""
    return labels()[name]


def labels() -> dict[str, str]:
    """Every run of the study as tables call it, by configurations alone."""
    look = _look(served_path())
    return _labels(look.content, look.study)


@st.cache_resource(max_entries=2, show_spinner=False)
def _labels(content: str, _study: Study) -> dict[str, str]:
    runs = _study.runs
    return {run.name: seeded(each, run.config.seed) for run, each in zip(runs, settings_of(runs), strict=True)}


def first_shown() -> str:
    """The first of the runs that pages can show most of: encoded, of a VAE, its weights there to decode with."""
    look = _look(served_path())
    return _first_shown(look.content, look.study)


@st.cache_resource(max_entries=2, show_spinner=False)
def _first_shown(content: str, _study: Study) -> str:
    return max(_study.runs, key=lambda run: (run.has("encode"), run.config.stochastic, decodes(run))).name


def decodes(run: Run) -> bool:
    """Whether the run's weights are there to decode with; what cannot be read cannot."""
    return bool(attempt(lambda: has_weights(run), False)[0])


def data_name(run: Run) -> str:
    """The data set's name as a subtitle says it."""
    return run.config.data_name if not run.sampled else "no data"


def channels(run: Run) -> str:
    """Which channels of the run's images are shown, where not all can be."""
    return run.config.form.shown if run.config.has_model else ""


def codes(run: Run) -> Codes:
    """The run's codes."""
    return _codes(str(run.path), stamp(run.path, CODES))


@st.cache_resource(max_entries=4, show_spinner="Reading the codes …")
def _codes(path: str, stamps: Any) -> Codes:
    return Run(Path(path)).codes()


def factor_names(run: Run) -> tuple[str, ...]:
    """The factors that vary in a run's codes; none where it has not been encoded."""
    return _factor_names(str(run.path), stamp(run.path, CODES)) if run.has("encode") else ()


@st.cache_data(max_entries=64, show_spinner=False)
def _factor_names(path: str, stamps: Any) -> tuple[str, ...]:
    return factors_of(_codes(path, stamps))[1]


def ranked(run: Run) -> Any:
    """`dimensions` of the run, the user's names and those that were earned included."""
    return with_names(_ranked(str(run.path), stamp(run.path, CODES)), run.named())


@st.cache_data(max_entries=16, show_spinner="Ranking the dimensions …")
def _ranked(path: str, stamps: Any) -> Any:
    return dimensions(_codes(path, stamps))


def values(run: Run) -> list[tuple[str, str]]:
    """Every value of every factor of the run's rows, as (factor, value)."""
    return _values(str(run.path), stamp(run.path, CODES))


@st.cache_data(max_entries=16, show_spinner=False)
def _values(path: str, stamps: Any) -> list[tuple[str, str]]:
    return [(name, value) for name, (_, texts) in levels(_codes(path, stamps)).items() for value in texts]


def reconstructed(run: Run, row: int, traversal: Decodings) -> tuple[Any, Any]:
    """The picture of the row that a traversal goes through, and its reconstruction; None for one not to be had.

    The code is the traversal's own: a shared copy of a run may not have the row among its codes.
    """
    sample, _ = attempt(lambda: picture_of(run, dataset(run), row), None)
    if sample is None and traversal.originals is not None:
        sample = traversal.pictures(traversal.originals)[0]
    decoded, _ = attempt(lambda: _reconstruction(str(run.path), stamp(run.path), row, traversal), None)
    return sample, decoded


@st.cache_data(max_entries=64, show_spinner=False)
def _reconstruction(path: str, stamps: Any, row: int, _traversal: Decodings) -> Any:
    run = Run(Path(path))
    code = anchor_of(_traversal)
    found = codes(run).mean[codes(run).position(row)] if code is None else code
    return run.config.form.picture(live(run).decode(found[None]))[0]


def verdicts(run: Run) -> tuple[Verdict, ...]:
    """How well the best attribute of each dimension detects; nothing where no names were sought."""
    return _verdicts(str(run.path), stamp(run.path, ["names.json"])) if run.has("names") else ()


@st.cache_data(max_entries=16, show_spinner=False)
def _verdicts(path: str, stamps: Any) -> tuple[Verdict, ...]:
    return load_names(Run(Path(path))).verdicts


def order(run: Run) -> list[str]:
    """The names of the run's dimensions, the most important first: `ranked` without what each of them knows."""
    return _order(str(run.path), stamp(run.path, CODES))


@st.cache_data(max_entries=16, show_spinner=False)
def _order(path: str, stamps: Any) -> list[str]:
    return list(dimensions(_codes(path, stamps), draws=0)["dim"])


def decodings(run: Run) -> dict[str, Decodings]:
    """The run's decoded images."""
    return _decodings(str(run.path), stamp(run.path, DECODINGS))


@st.cache_resource(max_entries=8, show_spinner=False)
def _decodings(path: str, stamps: Any) -> dict[str, Decodings]:
    return Run(Path(path)).decodings()


def traversals(run: Run, anchor: int, over: Any) -> Decodings:
    """Traversals around the row of that id, decoded now by the run's own model."""
    position = codes(run).position(anchor)
    return _traversals(str(run.path), stamp(run.path, ["config.json", "model.safetensors", *CODES]), position, over)


@st.cache_resource(max_entries=8, show_spinner="Decoding …")
def _traversals(path: str, stamps: Any, position: int, over: Any) -> Decodings:
    from latentlab.models.decoding import traverse

    model = live(Run(Path(path))).ready()
    return traverse(model, _codes(path, stamp(Path(path), CODES)), position, over=over)


def live(run: Run) -> Any:
    """The run's own model at hand, to decode with."""
    return _live(str(run.path), stamp(run.path, ["config.json", "model.safetensors"]))


@st.cache_resource(max_entries=4, show_spinner="Loading the model …")
def _live(path: str, stamps: Any) -> Any:
    from latentlab.models.live import live

    return live(Run(Path(path)))


def projections(run: Run) -> dict[str, Projection]:
    """The run's projections, by method; none where they have not been made."""
    return _projections(str(run.path), stamp(run.path, (*PROJECTIONS, *CODES))) if run.has("project") else {}


@st.cache_resource(max_entries=8, show_spinner=False)
def _projections(path: str, stamps: Any) -> dict[str, Projection]:
    return projections_of(Run(Path(path)))


def placed(run: Run, method: str) -> Any:
    """Where all rows of the run lie in its projection by that method (n, 2)."""
    return _placed(str(run.path), stamp(run.path, (*PROJECTIONS, *CODES)), method)


@st.cache_resource(max_entries=2, show_spinner="Placing all rows …")
def _placed(path: str, stamps: Any, method: str) -> Any:
    run = Run(Path(path))
    return place(projections(run)[method], codes(run), codes(run).mean)


def explored(run: Run, xy: Any, ids: Any, key: str) -> dict[str, Any]:
    """The picture with those points, of rows with those ids, packed for the browser; `key` names the picture."""
    return _explored(str(run.path), stamp(run.path, (*PROJECTIONS, *CODES)), key, xy, ids)


@st.cache_resource(max_entries=4, show_spinner="Packing all rows …")
def _explored(path: str, stamps: Any, key: str, _xy: Any, _ids: Any) -> dict[str, Any]:
    return of_codes(codes(Run(Path(path))), _xy, _ids)


class Cached(Run):
    """A run that hands figures what the pages have read of it, so that its files are opened once."""

    def codes(self) -> Codes:
        """The run's codes, as pages have them."""
        return _codes(str(self.path), stamp(self.path, CODES))

    def projections(self) -> dict[str, Projection]:
        """The run's projections, as pages have them."""
        return _projections(str(self.path), stamp(self.path, (*PROJECTIONS, *CODES)))

    def decodings(self) -> dict[str, Decodings]:
        """The run's decoded images, as pages have them."""
        return _decodings(str(self.path), stamp(self.path, DECODINGS))


def dataset(run: Run) -> Dataset:
    """The images that the run's codes were made from."""
    return _dataset(str(run.path), stamp(run.path, ["config.json", *CODES]))


@st.cache_resource(max_entries=2, show_spinner="Opening the images …")
def _dataset(path: str, stamps: Any) -> Dataset:
    return dataset_of(Run(Path(path)))


def pictured(run: Run) -> bool:
    """Whether the samples of the run's rows are at hand, to be shown as pictures."""
    return run.config.has_model and not run.sampled and attempt(lambda: dataset(run), None)[0] is not None


def leakage(run: Run) -> Score:
    """The run's leakage, where it has been measured; an `InputError` says how, where not."""
    return load_leakage(run)


def scorecard(run: Run) -> Any:
    """Every score of the run with what stands beside it."""
    return _scorecard(str(run.path), stamp(run.path, stage("score").files))


@st.cache_data(max_entries=32, show_spinner=False)
def _scorecard(path: str, stamps: Any) -> Any:
    return card(Run(Path(path)).scores())


def healthy(run: Run) -> Any:
    """`health` of the run."""
    return _healthy(str(run.path), stamp(run.path))


@st.cache_data(max_entries=32, show_spinner="Hashing the files …")
def _healthy(path: str, stamps: Any) -> Any:
    return health(Run(Path(path)))


def environment_of(run: Run) -> dict[str, Any]:
    """What the run was trained with."""
    return dict(attempt(lambda: environment(run), {})[0])
