"""One run: sliders over its dimensions, and the sample that its decoder makes of them, in the page."""

from __future__ import annotations

from typing import Any

import traitlets

from latentlab.browser.widgets._sliders import Sliders
from latentlab.models import Model
from latentlab.runs.run import Run


class Explore(Sliders):
    """Sliders over the dimensions of one run, the most important first; `Run.explore` makes it.

    Parameters
    ----------
    run : Run
        Encoded.
    row : int or str, optional
        The id or name of the row to start from; by default a typical one.
    adapter : str or Model, optional
        What a run of a user's own model needs: ``FILE.py:NAME``, or the model.

    Attributes
    ----------
    values : dict of str to float
        Where the sliders stand that were moved, as in ``{"z3": 1.5}``; a new value moves them.
    code : array (d,), float32
        The code that is decoded; follows ``values``.
    """

    code = traitlets.Any(read_only=True)

    def __init__(self, run: Run, *, row: int | str | None = None, adapter: str | Model | None = None) -> None:
        super().__init__([run], row, adapter)

    def _keep(self) -> None:
        self.set_trait("code", self._codes()[0])

    def _picture(self) -> tuple[str, list[Run], dict[str, Any]]:
        if self._runs[0].has("traverse"):
            return "traversals", self._runs, {}
        return "code", self._runs, {"model": self._models[0], "row": self._row}
