"""What ``stage.js`` shows: sliders over the dimensions of one run, or over the matched ones of several.

All runs start at their own codes of one row, so the first images are its reconstructions. A slider moves its dimension
in the first run and the matching one in each other by as much, turned where the sign is opposite, and in units of the
codes' own spread where there is no prior.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.browser.decoder import centre, frames, network, stored
from latentlab.codes.alignment import shared_row
from latentlab.codes.codes import Codes
from latentlab.codes.decodings import Decodings
from latentlab.codes.dimensions import dimensions
from latentlab.codes.matching import alongside, match
from latentlab.codes.paths import normal_of, sweeps
from latentlab.codes.symbols import symbol
from latentlab.errors import InputError
from latentlab.figures.code import moved_code, original
from latentlab.runs.comparison import told_apart
from latentlab.runs.run import Run
from latentlab.system.numbers import percent
from latentlab.system.png import data_uri, strip

if TYPE_CHECKING:
    import pandas as pd

    from latentlab.models.live import Live

SHOWN = 10  # sliders


def stage(
    runs: Sequence[Run],
    models: Sequence[Live | None],
    *,
    row: int | str | None = None,
    moved: Mapping[str, float] | None = None,
    tables: Sequence[pd.DataFrame] | None = None,
) -> dict[str, Any]:
    """The content of ``mountStage`` for runs side by side, and of ``mountSliders`` for a single one.

    Parameters
    ----------
    runs : sequence of Run
        Encoded, of the same data; the first one's dimensions have the sliders.
    models : sequence of Live or None
        Of each run; where there is none, its stored traversals are shown, frame by frame and around their own row.
    row : int or str, optional
        The id or name of the row to start from. By default one that all runs have: that of the stored traversals, or
        else a typical one. A single run starts at its mean code where no row is named.
    moved : mapping of str to float, optional
        Values of the first run's dimensions to begin with, as in ``{"z3": 1.5}``.
    tables : sequence of DataFrame, optional
        `dimensions` of each run, where they are at hand.

    Returns
    -------
    dict
        Plain values.

    Raises
    ------
    InputError
        For a row that is not there, runs of different data, and a run with neither a model nor stored traversals.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> run = ll.train("digits", f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> codes = ll.encode(run)
    >>> [slider["key"] for slider in stage([run], [ll.live(run)], row=5)["sliders"]]
    ['z0', 'z1']
    """
    given = tables or [dimensions(run.codes(), notes=run.named()) for run in runs]
    sides = _sides(runs, models, given, row)
    lines = _lines(sides, moved or {})
    sliders = [_slider(line, sides) for line in lines]
    values = {key: value for key, value in (moved or {}).items() if key in {each["key"] for each in sliders}}
    return {
        "key": " ".join([*(run.name for run in runs), str(row), *(each["key"] for each in sliders)]),
        "turn": 0,
        "values": values,
        "runs": [_shown(side, k, sides[0], sliders, values) for k, side in enumerate(sides)],
        "sliders": sliders,
        "noun": runs[0].config.noun,
        **_start(sides[0]),
    }


def every_pair(
    runs: Sequence[Run],
    models: Sequence[Live | None],
    *,
    tables: Sequence[pd.DataFrame] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, dict[str, Any]]:
    """What `stage` says of each run alone and next to each other one, for a page that has no Python behind it.

    Parameters
    ----------
    runs, models, tables
        As in `stage`.
    progress : callable, optional
        Told how many runs are done, and of how many.

    Returns
    -------
    dict
        By the name of a run: its part of a stage (``label``, ``note``, ``code``, ``decoder``, ``start`` and
        ``startSaid``), the sliders for it ``alone``, and in ``beside``, by the name of another run, those for both, of
        all dimensions that are in use, or why the two cannot be compared.

    Raises
    ------
    InputError
        For a run with neither a model nor stored traversals.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> run = ll.train("digits", f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> codes = ll.encode(run)
    >>> [slider["key"] for slider in every_pair([run], [ll.live(run)])["run"]["alone"]]
    ['z0', 'z1']
    """
    given = tables or [dimensions(run.codes(), notes=run.named()) for run in runs]
    sides = _sides(runs, models, given, None)
    usual = next((side.row for side in sides if side.model is not None), sides[0].row)
    sliders = _by_pair(sides)
    found: dict[str, dict[str, Any]] = {}
    for done, side in enumerate(sides, start=1):
        known = next((found[each.run.name] for each in sides[: done - 1] if each.row == side.row), None)
        beside = sliders[side.run.name]
        alone = [_slider(line, [side]) for line in _lines([side], {})]
        found[side.run.name] = {
            "label": side.label,
            "note": "" if side.row == usual else f"starts from its own row {side.called}",
            "code": side.code.tolist(),
            "decoder": side.decoder(_moved_in(side, sliders, alone), side.code),
            "alone": alone,
            "beside": beside,
            **({key: known[key] for key in ("start", "startSaid")} if known else _start(side)),
        }
        progress(done, len(sides))
    return found


def _by_pair(sides: Sequence[_Side]) -> dict[str, dict[str, list[dict[str, Any]] | str]]:
    """By the names of a first and a second run, the sliders for both, or why there are none."""
    found: dict[str, dict[str, list[dict[str, Any]] | str]] = {side.run.name: {} for side in sides}
    for k, one in enumerate(sides):
        for other in sides[k + 1 :]:
            try:
                table = match(one.codes, other.codes)
            except InputError as error:
                found[one.run.name][other.run.name] = found[other.run.name][one.run.name] = str(error)
                continue
            turned = table.rename(columns={"a": "b", "b": "a"})
            for first, second, each in ((one, other, table), (other, one, turned)):
                lines = _matched_lines(first, [each])
                found[first.run.name][second.run.name] = [_slider(line, [first, second]) for line in lines]
    return found


def _moved_in(side: _Side, sliders: Mapping[str, Any], alone: Sequence[Mapping[str, Any]]) -> list[int]:
    """The dimensions of a run that any slider moves."""
    own = [slider["moves"][0] for slider in alone]
    for first, others in sliders.items():
        for second, each in others.items():
            if isinstance(each, list) and side.run.name in (first, second):
                own += [slider["moves"][first != side.run.name] for slider in each]
    return sorted({move["dim"] for move in own if move is not None}) or [0]


def _start(side: _Side) -> dict[str, str]:
    """The picture that a run starts from, where the data are at hand."""
    start = None if side.row is None else original(side.run, side.row)
    return {
        "start": "" if start is None else data_uri(strip(start[None], gap=0)),
        "startSaid": "" if start is None else f"original, row {side.called}",
    }


@dataclass(frozen=True)
class _Side:
    """A run on the stage: where it starts, and what decodes it."""

    run: Run
    label: str
    codes: Codes
    table: pd.DataFrame
    row: int | None
    code: Any
    model: Live | None

    @property
    def called(self) -> str:
        """What the row is called that it starts from."""
        return "" if self.row is None else self.codes.naming(self.row)

    def scale(self, dim: int) -> float:
        """One standard deviation of the normal that stands for the codes."""
        return float(normal_of(self.codes)[1][dim]) or 1.0

    def decoder(self, dims: Sequence[int], code: Any) -> dict[str, Any]:
        """The network, or frames of the `dims` around a `code`, and the axes of their pictures where they have some."""
        return {**self._decoding(dims, code), "ruler": self.run.config.form.ruler}

    def _decoding(self, dims: Sequence[int], code: Any) -> dict[str, Any]:
        if self.model is None:
            return stored(_traversals(self.run), dims)
        try:
            return network(self.model.model, self.run.config.form, self.codes)
        except InputError:
            return frames(self.model.decode, self.run.config.form, self.codes, code, dims)


def _sides(
    runs: Sequence[Run], models: Sequence[Live | None], tables: Sequence[pd.DataFrame], named: int | str | None
) -> list[_Side]:
    codes = [run.codes() for run in runs]
    row = None if named is None else int(codes[0].row_ids[codes[0].position(named)])
    kept = [None if model else _traversals(run) for run, model in zip(runs, models, strict=True)]
    own = [None if part is None else int(part.settings["anchor_row"]) for part in kept]
    if row is None and len(runs) > 1:
        row = shared_row(codes, next((each for each in own if each is not None), None))
    rows = [row if each is None else each for each in own]
    starts = [
        moved_code(each, row, "")[0] if part is None else centre(part) for each, part in zip(codes, kept, strict=True)
    ]
    return [_Side(*each) for each in zip(runs, told_apart(runs), codes, tables, rows, starts, models, strict=True)]


def _traversals(run: Run) -> Decodings:
    """The stored traversals of a run whose model is not at hand."""
    kept = run.decodings() if run.has("traverse") else {}
    for over in ("prior", "aggregate"):
        if part := kept.get(f"traversals-{over}"):
            return part
    raise InputError(f"{run.name} has neither weights nor stored traversals; decode them with `latentlab analyze`")


Line = list[tuple[int, float]]  # for each run the dimension that a slider moves, -1 for none, and its correlation


def _lines(sides: Sequence[_Side], moved: Mapping[str, float]) -> list[Line]:
    """The most important dimensions of a single run and those `moved`, or those of the first run by their matches."""
    first, *others = sides
    if not others:
        own = first.table[(first.table.index < SHOWN) | first.table["dim"].isin(moved)]
        return [[(index, 1.0)] for index in own["index"].tolist()]
    return _matched_lines(first, [match(first.codes, other.codes) for other in others])[:SHOWN]


def _matched_lines(first: _Side, matches: Sequence[pd.DataFrame]) -> list[Line]:
    """Those of the first run, each with its matches, the best matched first."""
    joined = alongside(matches)
    if not (joined["first"] >= 0).any():  # collapsed: what its dimensions do not change can still be seen
        return [[(index, 1.0), *[(-1, np.nan)] * len(matches)] for index in first.table["index"].tolist()]
    return [
        [(row["first"], 1.0)]
        + [(row[f"other{k}"] if row[f"matched{k}"] else -1, row[f"rho{k}"]) for k in range(1, len(matches) + 1)]
        for row in joined[joined["first"] >= 0].to_dict("records")
    ]


def _slider(line: Line, sides: Sequence[_Side]) -> dict[str, Any]:
    """A slider over the first run's dimension, and what it moves in each run."""
    first, lead = sides[0], line[0][0]
    low, high = sweeps(first.codes, first.code, [lead], 2)[0, :, lead].tolist()
    known = next(each for each in first.table.to_dict("records") if each["index"] == lead)
    moves = [
        None if dim < 0 else _move(dim, rho, side.scale(dim) / first.scale(lead))
        for (dim, rho), side in zip(line, sides, strict=True)
    ]
    name = known["name"] or known["top_factor"] or ""
    return {
        "key": known["dim"],
        "label": f"{known['dim']} {name}".strip(),
        "fact": _matching(line, sides) if len(sides) > 1 and known["active"] is not False else _use(known),
        "off": known["active"] is False or (len(sides) > 1 and not any(moves[1:])),
        "low": math.floor(100 * low) / 100,  # steps of 0.01 then end at numbers that a link can hold
        "high": math.ceil(100 * high) / 100,
        "start": float(first.code[lead]),
        "moves": moves,
        "rho": [abs(rho) if dim >= 0 else None for dim, rho in line[1:]],
    }


def _move(dim: int, rho: float, scale: float) -> dict[str, Any]:
    """How a slider moves a run's dimension: in which direction, and by how much for each unit of the first run's."""
    return {"dim": dim, "symbol": symbol(dim), "sign": -1 if rho < 0 else 1, "scale": scale}


def _matching(line: Line, sides: Sequence[_Side]) -> str:
    """How well the partners of a dimension match it; a dash for a run that has none."""
    rhos = [f"{abs(rho):.2f}" if dim >= 0 else "–" for dim, rho in line[1:]]
    return f"|ρ| {', '.join(rhos)}" if any(dim >= 0 for dim, _ in line[1:]) else f"{sides[0].label} only"


def _use(known: Mapping[Any, Any]) -> str:
    """What a dimension of a single run is known for."""
    if known["active"] is False:
        return "inactive"
    if known["top_factor"]:
        return f"MI {known['mi']:.2f}" + (f" with {known['top_factor']}" if known["name"] else "")
    if known["kl"] == known["kl"]:
        return f"KL {known['kl']:.2f} nats"
    return f"{percent(known['share'])} of the variance"


def _shown(
    side: _Side, k: int, first: _Side, sliders: Sequence[Mapping[str, Any]], values: Mapping[str, float]
) -> dict[str, Any]:
    """A run's name, start and decoder."""
    moves = [(slider, slider["moves"][k]) for slider in sliders if slider["moves"][k] is not None]
    code = np.array(side.code)
    for slider, move in moves:
        by = values.get(slider["key"], slider["start"]) - slider["start"]
        code[move["dim"]] += move["sign"] * move["scale"] * by
    note = "" if side.row == first.row else f"starts from its own row {side.called}"
    decoder = side.decoder([move["dim"] for _, move in moves] or [0], code)
    return {"label": side.label, "note": note, "code": side.code.tolist(), "decoder": decoder}
