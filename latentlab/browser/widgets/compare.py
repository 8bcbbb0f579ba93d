"""Two to four runs: one slider moves the matched dimensions of all, each decoded by its own model, in the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import traitlets

from latentlab.browser.widgets._sliders import Sliders
from latentlab.errors import InputError
from latentlab.figures.compare import MOST, able
from latentlab.models.live import live
from latentlab.runs.run import Run


class Compare(Sliders):
    """Runs side by side under common sliders, matched by rank correlation; `Study.compare` makes it.

    Parameters
    ----------
    runs : sequence of Run
        2 to 4, encoded, of the same data. More are cut to the first seed of each setting, at most four.
    row : int or str, optional
        The id or name of a row that all have, to start from; by default a typical one.

    Attributes
    ----------
    values : dict of str to float
        Where the sliders stand that were moved, by dimensions of the first run; a new value moves them.
    codes : tuple of array (d,), float32
        The code that each run decodes, in the order of the runs; follows ``values``.
    """

    codes = traitlets.Tuple(read_only=True)

    def __init__(self, runs: Sequence[Run], *, row: int | str | None = None) -> None:
        chosen = able(runs)
        if len(chosen) < 2:
            raise InputError(f"{len(chosen)} of {len(runs)} runs can be compared; expected 2 to {MOST} encoded ones")
        super().__init__(chosen, row)

    def _keep(self) -> None:
        self.set_trait("codes", self._codes())

    def _picture(self) -> tuple[str, list[Run], dict[str, Any]]:
        if all(self._models):
            return "compare", self._runs, {"model": live, "row": self._row}
        return "traversals", self._runs[:1], {}
