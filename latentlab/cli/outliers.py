"""``latentlab outliers``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentlab.cli import _console, _runs
from latentlab.system.files import refuse_busy

if TYPE_CHECKING:
    from latentlab.runs.run import Run


PANEL = "Analyse"


def outliers(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    against: Annotated[str, typer.Option(help="Foreign images: a data set's name or a path.")],
    reverse: Annotated[
        Path | None, typer.Option(metavar="RUN", help="A run of the foreign images, to judge the other way round.")
    ] = None,
    data: _console.Data = None,
    split: _console.Split = None,
    rows: Annotated[int, typer.Option(min=100, help="At most so many rows of each side, seeded.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Fixes rows, posterior samples and redraws.")] = 0,
    adapter: _console.Adapter = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Say how well a run tells foreign images from its own, beside what brightness alone can tell.

    Example: latentlab outliers artifacts/mnist --against data/notmnist --reverse artifacts/notmnist
    """
    refuse_busy(run)
    from latentlab.analysis.outliers.stage import outliers as judge
    from latentlab.data import load
    from latentlab.runs.data import analysed
    from latentlab.runs.run import Run

    opened, foreign = Run(run), load(against)
    own = None if data is None else load(data)
    pairs = [(opened, foreign, own, split)]
    if reverse is not None:
        pairs.append((Run(reverse), analysed(opened, own, split), foreign, None))
    found = []
    for each, other, mine, part in pairs:
        with _console.progress(f"outliers {each.name}", quiet=quiet or json) as report:
            entry = judge(
                each, against=other, data=mine, split=part, rows=rows, seed=seed, adapter=adapter, progress=report
            )
        found.append((each, entry))
    if json:
        _runs.Outcome(found, {}).show_json(lambda entry: entry)
        return
    for each, entry in found:
        _show(each, entry, quiet)


def _show(run: Run, entry: Mapping[str, Any], quiet: bool) -> None:
    own, foreign = entry["rows"]
    turned = ", inverted to match" if entry["inverted"] else ""
    _console.show(f"{run.path}: {own:,} rows of {entry['own']}, {foreign:,} of {entry['against']}{turned}")
    _console.table([_row(name, each, entry) for name, each in entry["scores"].items()])
    name, value = entry["best_baseline"]
    better = ", ".join(entry["beyond_baselines"]) or "no score of the model"
    _console.show(f"the best baseline, {name}, reaches {value:.3f} by itself; surely beyond it: {better}")
    if entry["own_rows_were_trained_on"] and not quiet:
        _console.show("the model was trained on its own rows here, which flatters it; give held-out ones with --data")
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
        "at equal brightness": each["matched"],
        "95 %  ": _interval(each["matched_interval"]),
        "black images": entry["constant_images"]["black"][name],
        "images of one grey": entry["constant_images"]["any"][name],
    }


def _interval(pair: tuple[float, float] | None) -> str:
    return "–" if pair is None else f"{pair[0]:.3f} to {pair[1]:.3f}"
