"""``latentlab metrics``."""

from typing import Annotated

import typer

from latentlab.cli import _console

PANEL = "Analyse"
NOTE = """Measured on synthetic codes of 10,000 rows, except for the column "300 rows".
cv: standard deviation over mean of repeated evaluations. told: how often a point of a trajectory is distinguished
from the one before (0.5 is chance). least difference: 95 % of the differences between evaluations of equal codes are
smaller. noise: the value for codes without information."""


def metrics(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Metric whose card to show; all by default.")
    ] = None,
    json: _console.Json = False,
) -> None:
    """Show what each metric assumes, when it misleads, and how reliable a single evaluation is.

    Example: latentlab metrics

    Example: latentlab metrics mig
    """
    from latentlab.metrics._card import card, cards

    chosen = cards() if name is None else (card(name),)
    if json:
        _console.show_json({"metrics": [each.to_json() for each in chosen]} if name is None else chosen[0].to_json())
        return
    if name is not None:
        _console.table([{"": entry, name: text} for entry, text in chosen[0].entries()])
        return
    _console.table([each.row() for each in chosen])
    _console.show(f"\n{NOTE}")
