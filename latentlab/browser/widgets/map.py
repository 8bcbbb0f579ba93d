"""All rows of a run in a picture of its codes; a lasso, a filter or a click gives rows as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from latentlab.browser.rows import of_codes
from latentlab.browser.scripts import script, style
from latentlab.browser.widgets._widget import Widget
from latentlab.codes.codes import Codes
from latentlab.codes.dimensions import dimensions, factors_of
from latentlab.codes.h5ad import free
from latentlab.codes.paths import through
from latentlab.codes.projections import place
from latentlab.codes.selections import as_table, passing, present, within
from latentlab.codes.symbols import symbol
from latentlab.errors import InputError, LatentlabError
from latentlab.runs.images import dataset_of, picture_of
from latentlab.runs.projections import projections_of
from latentlab.runs.run import Run
from latentlab.system.png import data_uri, strip

if TYPE_CHECKING:
    import pandas as pd

PLANE = "plane"
FRAMES = 16  # of a path that is decoded


class Map(Widget):
    """The map of all rows of a run, and the rows that are selected in it; `Run.map` makes it.

    Parameters
    ----------
    run : Run
        Encoded.
    method : str, optional
        ``umap``, ``pca``, or ``plane`` for the two most important dimensions; by default the first that there is.
    by : str, optional
        The factor that colours the rows, by default the first.

    Attributes
    ----------
    selection : DataFrame
        The selected rows: ``row`` (id), factors, label, codes, and their place ``x``, ``y`` in the picture.
    areas : list of list of (x, y)
        Polygons, in units of the picture: rows inside any of them are selected.
    filters : dict of str to list of str
        Values by factor: rows that have one of the values for each factor are selected.
    rows : list of int
        Row ids that are selected.
    path : list of int
        Row ids of a path that was drawn; what the decoder makes of it is shown below the map.
    by : str
        The factor that colours the rows.
    """

    _esm = script("map_cell.js")
    _css = style("map.css") + style("cell.css")
    by = traitlets.Unicode(allow_none=True).tag(sync=True)
    areas = traitlets.List().tag(sync=True)
    filters = traitlets.Dict().tag(sync=True)
    rows = traitlets.List().tag(sync=True)
    path = traitlets.List().tag(sync=True)
    said = traitlets.Unicode().tag(sync=True)
    strip = traitlets.Unicode().tag(sync=True)
    pictured = traitlets.Bool().tag(sync=True)
    selection = traitlets.Any(read_only=True)

    def __init__(self, run: Run, *, method: str | None = None, by: str | None = None) -> None:
        self._run, self._encoded = run, run.codes()
        self._method, self._xy, self._ids, told = _placed(run, self._encoded, method)
        names = factors_of(self._encoded)[1]
        if by is not None and by not in names:
            raise InputError(f"the codes have no varying factor {by!r}; they have: {', '.join(names) or 'none'}"[:200])
        self._images, why = _dataset(run)
        data = of_codes(self._encoded, self._xy, self._ids)
        note = " ".join(filter(None, (told, why)))
        super().__init__(data=data, note=note, by=by or next(iter(names), None), pictured=not why)
        self.on_msg(self._asked)
        self._select(None)

    @traitlets.observe("areas", "filters", "rows")
    def _select(self, _: Any) -> None:
        chosen = np.zeros(len(self._ids), bool)
        chosen |= within(self.areas, self._xy)
        if self.filters:
            chosen |= np.isin(self._ids, self._encoded.row_ids[passing(self._encoded, self.filters)])
        chosen[present(self._ids, self.rows)] = True
        self.set_trait("selection", self._table(np.flatnonzero(chosen)))
        self.said = f"{chosen.sum():,} of {len(chosen):,} rows selected." if chosen.any() else ""

    def _table(self, places: NDArray[np.int64]) -> pd.DataFrame:
        table = as_table(self._encoded, self._encoded.positions(self._ids[places]))
        for k, name in enumerate("xy"):
            table[free(name, list(table))] = self._xy[places, k]
        return table

    @traitlets.observe("path")
    def _decode(self, _: Any) -> None:
        try:
            self.strip = _decoded(self._run, self._encoded, self.path) if len(self.path) > 1 else ""
        except LatentlabError as error:
            self.said = f"The path cannot be decoded: {error}."

    def _asked(self, _: Any, asked: Any, __: Any) -> None:
        """Answer with the picture of a row, as the page asks for it."""
        row = int(asked["row"])
        self.send({"row": row, "picture": data_uri(strip(picture_of(self._run, self._images, row)[None]))})

    def _picture(self) -> tuple[str, list[Run], dict[str, Any]]:
        if self._method == PLANE:
            return PLANE, [self._run], {"by": self.by}
        return "projection", [self._run], {"method": self._method, "by": self.by}


def _placed(run: Run, codes: Codes, method: str | None) -> tuple[str, NDArray[np.floating], NDArray[np.int64], str]:
    """How the codes are pictured, where each row lies (n, 2), the ids of these rows, and what to know of it."""
    known = projections_of(run) if run.has("project") else {}
    chosen = method or next((each for each in ("umap", "pca") if each in known), PLANE)
    if chosen == PLANE:
        x, y = [*dimensions(codes, draws=0)["index"].tolist(), 0][:2]
        return PLANE, codes.mean[:, [x, y]], codes.row_ids, f"{symbol(x)} across, {symbol(y)} up: the codes themselves."
    if chosen not in known:
        made = ", ".join([*known, PLANE])
        raise InputError(f"{run.name} has no projection {chosen!r}; it has: {made}; add others: `latentlab analyze`")
    if chosen == "pca":
        return chosen, place(known[chosen], codes, codes.mean), codes.row_ids, "PCA: a projection."
    found = known[chosen]
    return chosen, found.xy, found.row_ids, "UMAP preserves neighbourhoods but not distances: it is a projection."


def _decoded(run: Run, codes: Codes, path: Sequence[int]) -> str:
    """What the decoder makes of straight lines between the codes of those rows, as the address of one picture."""
    from latentlab.models.live import live

    stations = codes.mean[codes.positions(np.asarray(path, np.int64))]
    pictures = run.config.form.picture(live(run).decode(through(stations, FRAMES)))
    return data_uri(strip(pictures, columns=FRAMES // 2))


def _dataset(run: Run) -> tuple[Any, str]:
    """The samples of the run's rows, or None and why they are not at hand."""
    try:
        return dataset_of(run), ""
    except LatentlabError as error:
        return None, f"No images of rows: {error}."
