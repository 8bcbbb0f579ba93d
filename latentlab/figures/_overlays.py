"""What is laid over a picture of the codes: posterior ellipses, and the path of a traversal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes import draws
from latentlab.codes.codes import Codes
from latentlab.codes.paths import normal_of, sweeps
from latentlab.codes.symbols import symbol
from latentlab.errors import InputError

STEPS = 25
CORNERS = 33
PATH, HALO, RING = "#1A1A1A", "#FFFFFF", "#4A4A48"


@dataclass(frozen=True, eq=False)
class Overlay:
    """A line (m, 2) in a picture, broken where it is NaN; ``far`` (m,) is where it leaves the data.

    Of a `marked` one every point is drawn, as a cross where it is far.
    """

    name: str
    xy: NDArray[np.float64]
    far: NDArray[np.bool_]
    marked: bool = False


def traversal(
    codes: Codes, dimension: int, row: int | str | None, place: Callable[[draws.Floats], NDArray[Any]]
) -> Overlay:
    """A dimension moved from −2 to 2 standard deviations, where `place` puts these codes (steps, d) in the picture."""
    if not 0 <= dimension < codes.latent_dim:
        raise InputError(f"the codes have no dimension {dimension}; they have 0 to {codes.latent_dim - 1}")
    centre = normal_of(codes)[0] if row is None else codes.mean[codes.position(row)]
    path = sweeps(codes, centre, [dimension], STEPS, reach=2.0)[0]
    placed = np.asarray(place(path), np.float64)
    return Overlay(f"traversal of {symbol(dimension)}", placed, draws.leaving(codes, path), marked=True)


def ellipses(codes: Codes, x: int, y: int, rows: NDArray[np.int64]) -> Overlay:
    """One standard deviation of the posteriors of those rows in the plane of two dimensions."""
    if codes.variance is None:
        raise InputError("a deterministic encoder has no posterior variance, so there are no ellipses to draw")
    turn = np.linspace(0, 2 * np.pi, CORNERS)
    ring = np.column_stack([np.cos(turn), np.sin(turn)])
    sd = np.sqrt(codes.variance[rows][:, [x, y]].astype(np.float64))
    rings = codes.mean[rows][:, None, [x, y]] + ring * sd[:, None]
    broken = np.concatenate([rings, np.full((len(rows), 1, 2), np.nan)], axis=1).reshape(-1, 2)
    return Overlay(f"1σ of {len(rows)} posteriors", broken, np.zeros(len(broken), bool))


def warning(path: Overlay) -> str:
    """What a subtitle says of a traversal's path."""
    far = int(path.far.sum())
    return f"{path.name} drawn" + (f", {far} of its {len(path.far)} steps outside the data" if far else "")


def add_interactive(fig: Any, overlays: tuple[Overlay, ...]) -> None:
    """Draw them over a Plotly figure, with WebGL as its points are: anything else would lie below those."""
    import plotly.graph_objects as go

    for each in overlays:
        # A white line below the dark one, so that a path is seen on any page and over any colour.
        strokes = [(HALO, 5, 9), (PATH, 2, 6)] if each.marked else [(RING, 1, 0)]
        for colour, width, size in strokes:
            fig.add_trace(
                go.Scattergl(
                    x=each.xy[:, 0],
                    y=each.xy[:, 1],
                    name=each.name,
                    mode="lines+markers" if each.marked else "lines",
                    line={"color": colour, "width": width},
                    marker={"color": colour, "size": size, "symbol": ["x" if far else "circle" for far in each.far]},
                    hoverinfo="skip",
                    showlegend=False,
                )
            )


def add_static(axes: Any, overlays: tuple[Overlay, ...]) -> None:
    """Draw them over Matplotlib axes."""
    for each in overlays:
        if not each.marked:
            axes.plot(*each.xy.T, color=RING, lw=0.4, gid="overlay")
            continue
        axes.plot(*each.xy.T, color=HALO, lw=2.2)
        axes.plot(*each.xy.T, color=PATH, lw=0.9, gid="overlay")
        for rows, marker in ((~each.far, "o"), (each.far, "x")):
            axes.plot(*each.xy[rows].T, ls="", marker=marker, ms=2.5, color=PATH)
