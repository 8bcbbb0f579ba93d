"""The methods paragraph of a paper, from what runs recorded of themselves, and the BibTeX of all that it names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from operator import methodcaller
from typing import Any, NamedTuple

from latentlab.errors import InputError
from latentlab.reports.latex import escape
from latentlab.reports.references import bibtex, cited, cited_in
from latentlab.results import Score
from latentlab.runs.config import brief
from latentlab.runs.kept import FULL, inputs_of
from latentlab.runs.row import normalised_beta
from latentlab.runs.run import Run
from latentlab.runs.stage import Stage, stages
from latentlab.runs.study import Study
from latentlab.runs.verdicts import in_words
from latentlab.system.registry import load, names

LIBRARIES = {"numpy": "harris2020", "scipy": "virtanen2020", "sklearn": "pedregosa2011"}
# Where images came from: what to call it, and what to cite.
SOURCES = {
    "dsprites-rendered": ("dSprites, rendered by latentlab and not the published file", ("matthey2017",)),
    "dsprites-published": ("dSprites, the published file", ("matthey2017",)),
    "digits": ("the digits of scikit-learn", ("alpaydinkaynak1998", "pedregosa2011")),
    "mnist": ("MNIST", ("lecun1998",)),
    "fashion-mnist": ("Fashion-MNIST", ("xiao2017",)),
    "kmnist": ("Kuzushiji-MNIST", ("clanuwat2018",)),
}
RESULTS = {"types", "assignment", "active"}  # recorded among settings, but found and not set
APART = {"profile", "versions", "resamples", "rows_from", "factors_left_out", "split"}  # said in sentences of their own


HASHES = ("model", "codes", "fingerprint", "format")
OPEN, CLOSE = "\ue000", "\ue001"  # private characters, which no font and no name has
CITED = re.compile(rf"{OPEN}([a-z0-9,]+){CLOSE}")


class Methods(NamedTuple):
    """A paragraph with ``\\cite{…}`` commands, the keys it cites, and their BibTeX."""

    text: str
    keys: tuple[str, ...]
    bibtex: str


class _Cites:
    """Collects what is cited while sentences are written, and marks the places."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def __call__(self, *keys: str) -> str:
        self.keys += keys
        return f" {OPEN}{','.join(dict.fromkeys(keys))}{CLOSE}" if keys else ""


def _typeset(text: str) -> str:
    r"""The paragraph as LaTeX with its citations as commands; nothing else in it, wherever it came from, is a command.

    >>> print(_typeset(f"by {OPEN}higgins2017{CLOSE} on \\input{{my_data}}, 95 %"))
    by \cite{higgins2017} on \textbackslash{}input\{my\_data\}, 95 \%
    """
    parts = CITED.split(text)  # the keys that are cited stand between the texts
    return "".join(rf"\cite{{{part}}}" if number % 2 else escape(part) for number, part in enumerate(parts))


def methods(what: Run | Study | Iterable[Run | Study]) -> Methods:
    """What to write of runs under "Methods": model, data, training, scores and their settings, and what to cite.

    Everything comes from the runs' ``config.json`` and from the settings that stages recorded. Where runs differ, all
    values are named. Raises `InputError` where there is no run or a file of one cannot be read.
    """
    runs = [run for each in ([what] if isinstance(what, Run | Study) else what) for run in _members(each)]
    if not runs:
        raise InputError("there are no runs to describe; expected a run, a study or a list of them")
    cite = _Cites()
    recorded = [run.scored for run in runs]
    trained = [run for run in runs if run.config.has_model]
    sentences = [_models(trained, cite), *_data(trained, cite), _training(trained, cite)] if trained else []
    sentences += [*_embeddings([run for run in runs if not run.config.has_model]), *_stages(runs, cite)]
    sentences += _scores(runs, recorded, cite)
    sentences.append(f"All analyses were done with latentlab {version('latentlab')}{cite('latentlab')}.")
    keys = tuple(sorted(set(cite.keys)))
    return Methods(_typeset(" ".join(sentences)), keys, bibtex(keys))


def _members(each: Run | Study) -> Sequence[Run]:
    return [each] if isinstance(each, Run) else each.runs


def _models(runs: Sequence[Run], cite: _Cites) -> str:
    labels = dict.fromkeys(run.config.label for run in runs)
    objectives = {run.config.objective["name"]: run.config.objective for run in runs}
    named = [
        f"{name}{cite(*cited_in('training/objectives', name, [key for key, value in settings.items() if value]))}"
        for name, settings in objectives.items()
    ]
    networks = [
        f"{name}{cite(*cited_in('models/networks', name))}"
        for name in dict.fromkeys(run.config.network for run in runs)
    ]
    told = [f"We trained models with the objective{_s(named)} {in_words(named)} ({'; '.join(labels)})"]
    told.append(f"latent size {_values(runs, lambda run: run.config.latent_dim)}")
    told.append(f"network {in_words(networks)} and {_values(runs, lambda run: _likelihood(run))} likelihood")
    conditioned = dict.fromkeys(_conditioned(run) for run in runs if run.config.conditions)
    told += [f"conditioned on {'; '.join(conditioned)}"] if conditioned else []
    ratios = dict.fromkeys(f"{normalised_beta(run):.3g}" for run in runs if run.config.beta is not None)
    if ratios:
        told.append(f"normalised β = β·d/D {', '.join(ratios)}{cite('higgins2017')}")
    foreign = [run for run in runs if run.config.imported or run.config.adapter]
    where = dict.fromkeys(str((run.config.imported or {}).get("format", "a custom adapter")) for run in foreign)
    elsewhere = f" {len(foreign)} of {len(runs)} were trained elsewhere and imported ({', '.join(where)})."
    return ", ".join(told) + "." + (elsewhere if foreign else "")


def _embeddings(runs: Sequence[Run]) -> list[str]:
    """What is known of codes that came without a model: their names, files, sizes and rows."""
    if not runs:
        return []
    named = "; ".join(
        f"{run.config.label} ({run.config.latent_dim} dimensions, "
        f"{'means and variances' if run.config.stochastic else 'points'}, {_origin(run)})"
        for run in runs
    )
    rows = _values(runs, lambda run: f"{run.config.rows:,}")
    sources = in_words(dict.fromkeys(str(run.config.source.get("name", "codes")) for run in runs))
    told = f"Codes computed elsewhere were analysed without a model: {named}"
    return [f"{told}, {rows} rows of {sources}; how they were trained is not recorded here."]


def _origin(run: Run) -> str:
    imported = run.config.imported or {}
    digest = str(imported.get("sha256", ""))[:12]
    return f"{'file ' + str(imported['file']) if imported.get('file') else 'arrays'}, SHA-256 {digest}…"


def _likelihood(run: Run) -> str:
    fixed = run.config.likelihood.startswith(("gaussian", "laplace")) and run.config.likelihood != "gaussian-learned"
    return run.config.likelihood + (f" (σ = {run.config.sigma:g})" if fixed else "")


def _conditioned(run: Run) -> str:
    """``batch (3 levels), given to the decoder``."""
    conditions = run.config.conditions
    if conditions is None:
        return "nothing"
    whom = "the encoder and the decoder" if conditions.encoder else "the decoder"
    return f"{conditions.described}, given to {whom}"


def _data(runs: Sequence[Run], cite: _Cites) -> list[str]:
    """One sentence a data set."""
    sentences = []
    described = {}
    for run in runs:
        config = run.config
        name = str(config.source.get("name", config.data))
        called, keys = SOURCES.get(name) or SOURCES.get(config.data) or (f"{config.data} (source: {name})", ())
        form = config.form
        rows = f"{config.rows:,} {form.plural}" if config.rows else f"an unrecorded number of {form.plural}"
        grid = config.source.get("grid")
        cells = f", factor grid {'×'.join(map(str, grid))}" if isinstance(grid, list) else ""
        described[f"{called}{{}} ({rows} of {form.size}, part {config.split!r}{cells}, spec {config.data!r})"] = keys
    for text, keys in described.items():
        sentences.append(f"Data: {text.replace('{}', cite(*keys))}.")
    return sentences


def _training(runs: Sequence[Run], cite: _Cites) -> str:
    def say(name: str, read: Callable[[Run], Any]) -> str:
        return f"{name} {_values(runs, read)}"

    steps = _values(runs, lambda run: f"{run.config.steps:,}" if run.config.steps else "an unrecorded number of")
    told = [f"Training took {steps} steps"]
    told.append(say("batch size", lambda run: run.config.batch_size))
    told.append(f"Adam{cite('kingmaba2015')} at learning rate {_values(runs, lambda run: run.config.learning_rate)}")
    decays = _values(runs, lambda run: run.config.decay)
    told.append("constant" if decays == "0" else f"falling linearly to zero over the last part {decays} of the steps")
    told.append(say("seed" + _s(_several(runs, lambda run: run.config.seed)), lambda run: run.config.seed))
    told.append(f"{_values(runs, lambda run: run.config.hardware.precision)} in PyTorch{cite('paszke2019')}")
    unfinished = [f"{run.name} ({run.state})" for run in runs if run.state != "finished"]
    beware = f" Not trained to the end: {', '.join(unfinished)}." if unfinished else ""
    return f"{', '.join(told)}; {len(runs)} run{_s(runs)} in all.{_sampled(runs, cite)}{beware}"


def _sampled(runs: Sequence[Run], cite: _Cites) -> str:
    """How rows were sampled where not each once an epoch."""
    laws = dict.fromkeys(run.config.correlate or "weights" for run in runs if run.config.weights)
    told = [
        f"so that two factors are correlated, {law}{cite('trauble2021')}" if law != "weights" else "by weights of rows"
        for law in laws
    ]
    count = sum(bool(run.config.weights) for run in runs)
    return f" In {count} of {len(runs)} runs training rows were sampled {in_words(told)}." if told else ""


def _stages(runs: Sequence[Run], cite: _Cites) -> list[str]:
    """One sentence a stage that was run: what it does, with which settings, and on how many runs where not on all."""
    sentences = []
    for stage in stages().values():
        having = [run for run in runs if run.has(stage.name) and (run.config.has_model or stage.name != "encode")]
        if not having or not stage.about:
            continue
        told = [f"{stage.about}{cite(*cited(stage.source))}"]
        recorded = [each for run in having for each in _recorded(run, stage)]
        keys = dict.fromkeys(key for each in recorded for key in each)
        told += [f"{key.replace('_', ' ')} {_values(recorded, methodcaller('get', key))}" for key in keys]
        few = f" ({len(having)} of {len(runs)} runs)" if len(having) < len(runs) else ""
        sentences.append(f"{', '.join(told)}{few}.")
    return sentences


def _recorded(run: Run, stage: Stage) -> list[dict[str, Any]]:
    """The settings among what a stage's file says it was made from, and of each entry where it collects entries."""
    path = stage.path(run)
    found = [inputs_of(path, stage.format)]
    if path.suffix == ".json":
        entries = stage.record(run).get("entries") or {}
        found += [{**dict(entry.get("inputs") or {}), "of": name} for name, entry in entries.items()]
    return [{key: value for key, value in each.items() if _is_setting(key, value)} for each in found]


def _is_setting(key: str, value: Any) -> bool:
    """Whether an input is a choice, and neither a hash of what was read nor a description of data."""
    plain = isinstance(value, int | float | str) or (isinstance(value, list) and not any(map(_nested, value)))
    return plain and key not in HASHES and not key.startswith(FULL)


def _nested(value: Any) -> bool:
    return isinstance(value, dict | list)


def _scores(runs: Sequence[Run], recorded: Sequence[Mapping[str, Any]], cite: _Cites) -> list[str]:
    scores_of: dict[str, list[Score]] = {}
    for each in recorded:
        for name, entry in each.get("scores", {}).items():
            scores_of.setdefault(name, []).append(Score.from_json(entry))
    without = [run.name for run in runs if not run.has("score")]
    sentences = [f"Not scored: {', '.join(without)}."] if without else []
    every = [score for scores in scores_of.values() for score in scores]
    if every:
        profiles = _several(every, _setting("profile"))
        named = [f"{name}{cite(*cited_in('analysis/score/profiles', name.partition('@')[0]))}" for name in profiles]
        deterministic = [run for run in runs if not run.config.stochastic]
        codes = "posterior means" if len(deterministic) < len(runs) else "standardised codes"
        if 0 < len(deterministic) < len(runs):
            codes += f" (standardised codes for {in_words(dict.fromkeys(run.config.label for run in deterministic))})"
        sentences.append(f"Scores are of {codes} under the profile{_s(named)} {in_words(named)}:")
        said: dict[str, str] = {}
        sentences.append(
            "; ".join(_metric(name, scores, cite, said) for name, scores in sorted(scores_of.items())) + "."
        )
        sentences += _beside(scores_of)
    skipped = dict.fromkeys(f"{name} ({why})" for each in recorded for name, why in each.get("skipped", {}).items())
    sentences += [f"Skipped: {'; '.join(skipped)}."] if skipped else []
    return sentences + ([_libraries(every, cite)] if every else [])


def _metric(name: str, scores: Sequence[Score], cite: _Cites, said: dict[str, str]) -> str:
    """A metric by its title, where its rows came from and every setting that was recorded."""
    known = load("metrics", name).METRIC if name in names("metrics") else None
    title = f"{known.title} ({name}){cite(*cited(known.source))}" if known else name
    keys = dict.fromkeys(key for score in scores for key in score.settings if key not in APART | RESULTS)
    told = [str(each) for each in _several(scores, _setting("rows_from"))]
    for key in keys:
        value = " or ".join(_plain(each) for each in _several(scores, _setting(key)))
        told.append(f"{key.replace('_', ' ')} {value}" if value not in said else f"{said[value]} as above")
        if " (" in value:  # an estimator with all its settings, which several metrics share
            said[value] = f"{key} {value.partition(' (')[0]}"
    return f"{title}: {', '.join(told)}"


def _setting(key: str) -> Callable[[Score], Any]:
    return lambda score: score.settings.get(key)


def _beside(found: Mapping[str, Sequence[Score]]) -> list[str]:
    """Redraws, nulls, overlap and what was left out."""
    sentences = []
    every = [score for scores in found.values() for score in scores]
    draws = _several(every, _setting("resamples"))
    if draws:
        nulls = dict.fromkeys(kind for score in every for kind in score.nulls if not kind.endswith("_mean"))
        told = f"Intervals are 95 %, around the value over all rows, from {in_words(map(str, draws))} redraws"
        told += " of the rows with everything recomputed"
        told += f"; nulls ({in_words(nulls)} codes) are 95 % quantiles of as many" if nulls else ""
        sentences.append(f"{told}.")
    bare: dict[str, list[str]] = {}
    for name, scores in sorted(found.items()):
        if all(score.bounds is None for score in scores):
            bare.setdefault(scores[0].no_interval, []).append(name)
    sentences += [f"Without an interval: {', '.join(each)} ({why})." for why, each in bare.items()]
    shares = [score.beside["overlap"] for score in every if "overlap" in score.beside]
    if shares:
        low, high = f"{100 * min(shares):.3g} %", f"{100 * max(shares):.3g} %"
        sentences.append(f"Of the test rows {low if low == high else f'{low} to {high}'} were also drawn for training.")
    left = _several(every, lambda score: ", ".join(score.settings.get("factors_left_out", [])) or None)
    return sentences + ([f"Factors with a single value were left out: {in_words(map(str, left))}."] if left else [])


def _libraries(scores: Sequence[Score], cite: _Cites) -> str:
    used: dict[str, dict[str, None]] = {}
    for score in scores:
        for library, which in score.settings.get("versions", {}).items():
            used.setdefault(library, {})[str(which)] = None
    cites = {library: cite(LIBRARIES[library]) if library in LIBRARIES else "" for library in used}
    named = [f"{name} {' and '.join(which)}{cites[name]}" for name, which in used.items()]
    return f"Computed with {in_words(named)}."


def _several(items: Iterable[Any], read: Callable[[Any], Any]) -> list[Any]:
    """The distinct values that are recorded, in order."""
    found: list[Any] = []
    for item in items:
        value = read(item)
        if value is not None and value not in found:
            found.append(value)
    return found


def _values(items: Iterable[Any], read: Callable[[Any], Any]) -> str:
    return in_words(_plain(value) for value in _several(items, read))


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        inner = [f"{key} = {_plain(each)}" for key, each in value.items() if key != "estimator" and each is not None]
        return f"{value.get('estimator', '')} ({', '.join(inner)})".strip()
    if isinstance(value, list | tuple):
        return " + ".join(_plain(each) for each in value)
    return brief(value)


def _s(items: Iterable[Any]) -> str:
    return "s" if len(list(items)) > 1 else ""
