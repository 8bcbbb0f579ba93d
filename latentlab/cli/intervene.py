"""``latentlab intervene``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli import _console, _runs
from latentlab.system.files import refuse_busy

PANEL = "Ask one question"
SHOWN = ["factor", "carried by", "cause", "isolation", "other factor moved most", "cause of the whole code", "MIG gap"]


def intervene(
    paths: _console.Paths,
    data: _console.RunData = None,
    pairs: Annotated[
        int,
        typer.Option(
            help="Maximum number of pairs of rows that choose a part, and that test it; twice as many measure it.",
            min=16,
            max=10_000,
        ),
    ] = 256,
    seed: Annotated[int, _console.seed("Seed for pairs, regressor and resamples")] = 0,
    adapter: _console.Adapter = None,
    out: Annotated[Path | None, _console.file_to_write("CSV file to write, one row per factor", ".csv")] = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Find the smallest part of the code whose swap changes one factor of the decoded sample and no other.

    A part of a row's code is replaced by that of a donor row. Cause: how far the factor moves to the donor's value in
    the decoded sample; 1 is best. Isolation: how far the other factors keep their values; 1 is best. A regressor,
    trained once on real samples for all runs of the same data, measures both. Results: interventions.json in each run.

    Example: latentlab intervene artifacts/dsprites/beta8-seed2
    """
    refuse_busy(*paths)
    import pandas as pd

    from latentlab.analysis.intervene.stage import intervene as measure
    from latentlab.data import load
    from latentlab.runs.comparison import csv_of
    from latentlab.system.files import write_bytes

    samples = None if data is None else load(data)
    outcome = _runs.each_run(
        paths,
        "intervene",
        lambda run, report: measure(run, data=samples, pairs=pairs, seed=seed, adapter=adapter, progress=report),
        quiet=quiet or json,
    )
    if out is not None and outcome.done:
        tables = [each.to_frame().assign(run=run.name) for run, each in outcome.done]
        write_bytes(out, csv_of(pd.concat(tables, ignore_index=True)))
    if json:
        outcome.show_json(lambda each: each.to_json())
    for run, each in [] if json else outcome.done:
        table = each.to_frame()
        _console.show(f"\n{run.name}: which part of the code carries each factor")
        _console.table(table[SHOWN].to_dict("records"))
        for row in table[table["disagreement"] != ""].to_dict("records"):
            _console.show(f"{row['factor']}: {row['disagreement']}")
        _console.show(f"\n{run.name}: cost of setting a dimension to {each.settings['ablated_to']}")
        _console.table(
            each.costs().drop(columns=["distortion low", "distortion high"], errors="ignore").to_dict("records")
        )
    outcome.end()
