"""Grids of Plotly panels in the style of every figure."""

from __future__ import annotations

from typing import Any


def styled(grid: Any, base: Any, *, axes: bool = False) -> Any:
    """The panels of `make_subplots`, axes and headings theirs, with everything else of a figure's layout.

    With `axes`, the first panel's take what the figure says of its own.

    The layout is made at once: `update_layout` merges a template value by value, which takes longer than the rest of
    a chart.
    """
    import plotly.graph_objects as go

    fig, layout = go.Figure(grid), base.layout.to_plotly_json()
    fig.layout = grid.layout.to_plotly_json() | {k: v for k, v in layout.items() if k not in ("xaxis", "yaxis")}
    for name in ("xaxis", "yaxis") if axes else ():
        fig.layout[name].update(layout[name])
    return fig
