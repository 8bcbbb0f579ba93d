"""``latentlab compare``."""

from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli import _console

PANEL = "Analyse"


def compare(
    paths: _console.Paths,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write the table as .csv.")] = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Compare the settings of a study: what each β cost and what it brought, with the spread over seeds.

    Example: latentlab compare artifacts/digits-study
    """
    from latentlab.comparison import compare as tabulate
    from latentlab.comparison import summarise, write_csv
    from latentlab.runs import open_runs

    found = tabulate(open_runs(paths))
    summary = summarise(found)
    if out is not None:
        write_csv(out, found)
    if json:
        _console.show_json({"runs": found.to_dict("records"), "settings": summary.to_dict("records")})
        return
    _console.table(found.to_dict("records"))
    if not quiet:
        _console.show("")
        _console.table(summary.to_dict("records"))
