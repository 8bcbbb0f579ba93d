"""``latentlab outliers``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentlab.cli import _console, _runs
from latentlab.errors import InputError
from latentlab.system.files import refuse_busy
from latentlab.system.numbers import percent

if TYPE_CHECKING:
    from latentlab.data import Dataset
    from latentlab.runs.run import Run


NOTHING = {"black": "black images", "any": "images of one grey", "mean": "the mean"}  # samples that hold nothing
PANEL = "Ask one question"


def outliers(
    paths: _console.Paths,
    against: Annotated[str, typer.Option(help="Out-of-distribution data: name of a data set or a path.")],
    reverse: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="Run trained on the out-of-distribution data, to test the opposite direction too (single run only).",
        ),
    ] = None,
    data: _console.RunData = None,
    split: Annotated[str | None, _console.split("test if it exists, otherwise all")] = None,
    rows: Annotated[int, typer.Option(min=100, help="Maximum number of rows per data set, chosen at random.")] = 10_000,
    seed: Annotated[int, _console.seed("Seed for rows, posterior samples and resamples")] = 0,
    adapter: _console.Adapter = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Measure how well a run detects out-of-distribution samples, compared with baselines that need no model.

    Example: latentlab outliers artifacts/mnist --against data/notmnist --reverse artifacts/notmnist
    """
    refuse_busy(*paths, *([] if reverse is None else [reverse]))
    from latentlab.analysis.outliers.stage import outliers as judge
    from latentlab.data import load

    foreign, own = load(against), None if data is None else load(data)
    options: dict[str, Any] = {"rows": rows, "seed": seed, "adapter": adapter}
    turned = {} if reverse is None else {reverse: _turned(paths, reverse, foreign, own, split)}
    outcome = _runs.each_run(
        [*paths, *turned],
        "outliers",
        lambda run, report: judge(
            run, **turned.get(run.path, {"against": foreign, "data": own, "split": split}), **options, progress=report
        ),
        quiet=quiet or json,
    )
    if json:
        outcome.show_json(lambda entry: entry)
    for run, entry in [] if json else outcome.done:
        _show(run, entry, quiet)
    outcome.end()


def _turned(
    paths: Sequence[Path], reverse: Path, foreign: Dataset, own: Dataset | None, split: str | None
) -> dict[str, Any]:
    """What the run of the out-of-distribution samples is asked: it judges the single run's samples beside its own."""
    from latentlab.runs.data import analysed
    from latentlab.runs.run import Run

    _runs.check_single(paths, "--reverse")
    if reverse.resolve() == paths[0].resolve():
        raise InputError(
            f"--reverse is {reverse}, the run itself; name a run that was trained on the out-of-distribution samples"
        )
    Run(reverse)
    return {"against": analysed(Run(paths[0]), own, split), "data": foreign}


def _show(run: Run, entry: Mapping[str, Any], quiet: bool) -> None:
    own, foreign = entry["rows"]
    turned = ", inverted to match" if entry["inverted"] else ""
    _console.show(f"{run.path}: {own:,} rows of {entry['own']}, {foreign:,} of {entry['against']}{turned}")
    _console.table([_row(name, each, entry) for name, each in entry["scores"].items()])
    each = next(iter(entry["scores"].values()))
    if each["brighter"] is not None:
        by = _word(entry.get("matched_by", "intensity"))
        more = "a brighter" if by == "brightness" else f"a higher {by} of the"
        share = f"{percent(each['brighter'])} with {more} out-of-distribution row"
        few = "" if each["matched"] is not None else "; too few, or too one-sided, to compare"
        _console.show(f"{each['pairs']} pairs of equal {by}, {share}{few}")
    name, value = entry["best_baseline"]
    turned = ", reversed" if entry["scores"][name]["auroc"] < 0.5 else ""
    better = ", ".join(entry["beyond_baselines"]) or "no score of the model"
    _console.show(f"Best baseline: {name} (AUROC {value:.3f}{turned}). Significantly better: {better}")
    if entry["own_rows_were_trained_on"] and not quiet:
        _console.show(
            "the in-distribution rows were training rows, which biases the result; pass held-out rows with --data"
        )
    if not quiet:
        _console.show("")


def _row(name: str, each: dict[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "score": name,
        "": "needs no model" if each["baseline"] else "",
        "AUROC": each["auroc"],
        "95 %": _interval(each["auroc_interval"]),
        "AUPRC": each["auprc"],
        "95 % ": _interval(each["auprc_interval"]),
        **_matched(each, entry.get("matched_by", "intensity")),
        **{NOTHING[which]: value[name] for which, value in _constants(entry).items()},
    }


def _matched(each: dict[str, Any], by: str) -> dict[str, Any]:
    return {f"at equal {_word(by)}": each["matched"], "95 %  ": _interval(each["matched_interval"])} if by else {}


def _word(by: str) -> str:
    return "brightness" if by == "intensity" else by


def _constants(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """AUROC of the scores for samples that hold nothing."""
    return next((value for key, value in entry.items() if key.startswith("constant_")), {})


def _interval(pair: tuple[float, float] | None) -> str:
    return "–" if pair is None else f"{pair[0]:.3f} to {pair[1]:.3f}"
