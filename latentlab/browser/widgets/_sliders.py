"""Sliders in a notebook: what `stage` prepares, where they stand, and the codes that stand there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from latentlab.browser.scripts import script, style
from latentlab.browser.stage import stage
from latentlab.browser.widgets._widget import Widget
from latentlab.codes.alignment import shared_row
from latentlab.errors import InputError, LatentlabError
from latentlab.runs.run import Run

if TYPE_CHECKING:
    from latentlab.models.live import Live


class Sliders(Widget):
    """Sliders over the dimensions of runs; ``values`` is where those stand that were moved, as in ``{"z3": 1.5}``."""

    _esm = script("sliders_cell.js")
    _css = style("stage.css") + style("cell.css")
    values = traitlets.Dict().tag(sync=True)

    def __init__(self, runs: Sequence[Run], row: int | str | None, adapter: Any = None) -> None:
        found = [_model(run, adapter) for run in runs]
        self._runs, self._models = list(runs), [model for model, _ in found]
        without = {run.name: why for run, (_, why) in zip(runs, found, strict=True) if why}
        codes = [run.codes() for run in runs]
        self._row = row if row is not None or not all(run.encodes for run in runs) else shared_row(codes)
        super().__init__(data=self._content({}), note=_note(without))
        self._keep()

    def _content(self, values: Mapping[str, float]) -> dict[str, Any]:
        return stage(self._runs, self._models, row=self._row, moved=values)

    @traitlets.validate("values")
    def _known(self, proposal: Any) -> dict[str, float]:
        keys = [slider["key"] for slider in self.data["sliders"]]
        for key, value in proposal["value"].items():
            if key not in keys or not np.isfinite(value):
                raise InputError(f"{key} = {value} moves no slider; expected numbers for some of {', '.join(keys)}")
        return {key: float(value) for key, value in proposal["value"].items()}

    @traitlets.observe("values")
    def _moved(self, _: Any) -> None:
        kinds = {run["decoder"]["kind"] for run in self.data["runs"]}
        if "frames" in kinds and all(self._models):  # frames around another code are other ones
            self.data = self._content(self.values)
        self._keep()

    def _codes(self) -> tuple[NDArray[np.float32], ...]:
        """The code (d,) of each run where the sliders stand: what the page decodes."""
        return tuple(self._code(k) for k in range(len(self._runs)))

    def _code(self, k: int) -> NDArray[np.float32]:
        code = np.asarray(self.data["runs"][k]["code"], np.float32)
        for slider in self.data["sliders"]:
            move = slider["moves"][k]
            if move is not None and slider["key"] in self.values:
                code[move["dim"]] += move["sign"] * move["scale"] * (self.values[slider["key"]] - slider["start"])
        return code

    def _keep(self) -> None:
        """Keep the codes in the widget's own trait."""
        raise NotImplementedError


def _model(run: Run, adapter: Any) -> tuple[Live | None, str]:
    """The run's model at hand, or None and why: its stored traversals are shown, where there are some."""
    from latentlab.models.live import live

    try:
        return live(run, adapter), ""
    except LatentlabError as error:
        if adapter is not None or not run.has("traverse"):
            raise
        return None, str(error)


def _note(without: Mapping[str, str]) -> str:
    """What is shown of runs without a model at hand, by name, and why the first of them has none."""
    if not without:
        return ""
    return f"Stored traversals of {', '.join(without)}, the nearest frame of each: {next(iter(without.values()))}."
