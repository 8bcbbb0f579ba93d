"""Pages keep their plots where labels are long, and cut neither labels nor dots."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from latentlab.data.kinds._draw import lines
from latentlab.figures import _style
from latentlab.figures._panels import Bars, Panel, Panels
from latentlab.figures._panels import static as panels
from latentlab.figures._places import fitted, on_screen
from latentlab.figures._sheet import Sheet
from latentlab.figures._sheet import interactive as sheet_on_screen
from latentlab.figures._sheet import static as sheet
from latentlab.figures.outliers import OutliersData
from latentlab.figures.outliers import interactive as outliers_on_screen
from latentlab.figures.outliers import static as outliers
from latentlab.figures.overview import prepare as overview_of
from latentlab.figures.overview import static as overview
from latentlab.figures.rate_distortion import _beside
from latentlab.figures.rate_distortion import interactive as curve_on_screen
from latentlab.figures.rate_distortion import prepare as curve_of
from latentlab.figures.responses import prepare as responses_of
from latentlab.figures.responses import static as responses
from latentlab.figures.size import prepare as size_of
from latentlab.figures.size import static as size
from latentlab.figures.spectrum import Kept
from latentlab.figures.spectrum import static as spectrum

CELLS = [f"CD8+/CD45RA+ Naive Cytotoxic {k}" for k in range(3)]


def drawn(static, data, preset="neurips"):
    chosen = _style.preset(preset)
    with _style.rendering(chosen.size, chosen.family):
        fig = static(data, preset)
        fig.canvas.draw()
    return fig


def test_long_names_of_values_leave_plots_their_height(toy_study):
    data = responses_of(toy_study["beta-4-seed-0"], factor="shape")
    short = drawn(responses, data)
    long = drawn(responses, replace(data, ticks=dict(zip(data.ticks, CELLS, strict=False))))
    heights = [fig.axes[0].get_position().height * fig.get_figheight() for fig in (short, long)]
    assert heights[1] > 0.8 * heights[0]


def test_dots_at_the_top_are_whole(toy_study):
    fig = drawn(size, size_of(list(toy_study)))
    for axes in fig.axes:
        top = max(each.get_offsets()[:, 1].max() for each in axes.collections if len(each.get_offsets()))
        assert axes.get_ylim()[1] >= 1.02 * top


def test_wide_numbers_beside_the_curve_are_on_the_page(toy_study):
    data = overview_of(list(toy_study))
    runs, means = data.curve.runs.copy(), data.curve.means.copy()
    runs["distortion"] = 653 + runs["distortion"] / 1000
    means["distortion_mean"] = 653 + means["distortion_mean"] / 1000
    curve = replace(data.curve, runs=runs, means=means, plain=data.curve.plain[:0])
    fig = drawn(overview, replace(data, curve=curve))
    axes = next(axes for axes in fig.axes if axes.get_ylabel())
    assert axes.yaxis.get_tightbbox(fig.canvas.get_renderer()).x0 >= 0


def test_a_short_range_of_beta_has_plain_numbers():
    betas = np.geomspace(0.6, 6, 200)
    levels = {name: np.ones(200) for name in ("components, linear", "expected")}
    fig = drawn(spectrum, Kept(betas, levels, [], 4.5, ""))
    texts = [text.get_text() for text in fig.axes[0].get_xticklabels(which="both")]
    assert {"1", "2", "5"} <= set(texts)
    assert not any("$" in text for text in texts)


def test_a_steep_curve_has_no_gaps():
    heights = np.full((1, 1047), 0.5)
    heights[0, 60:66] = [1, 0, 1, 0, 1, 0]
    ink = (lines(heights) != 255).any(axis=0)
    for column in ink.T:
        (rows,) = np.nonzero(column)
        assert np.array_equal(rows, np.arange(rows[0], rows[-1] + 1))
    assert ink.any(axis=1).sum() > 55, "from top to bottom"


@pytest.mark.parametrize(
    ("width", "share", "said", "right"),
    [
        (6.0, 0.5, "annealed-vae, gamma = 50", True),
        (6.0, 0.95, "annealed-vae, gamma = 50", False),
        (1.75, 0.55, "annealed-vae,\ngamma = 50", True),
        (0.5, 0.9, "annealed-vae,\ngamma = 50", False),
    ],
)
def test_a_setting_stands_where_there_is_room_for_it(width: float, share: float, said: str, right: bool) -> None:
    """Beside the mean of its runs on the curve of rate and distortion, in lines where no side has room for it whole."""
    assert _beside("annealed-vae, gamma = 50", _style.preset("icml"), width, share) == (said, right)


@pytest.mark.parametrize("preset", ["neurips", "nature-single"])
def test_names_of_rows_above_pictures_keep_apart_and_on_the_page(preset):
    names = ["row CAGATGACATGTCG-1", "0", "0.5", "1", "row ATGTTGCTGGGCAA-1"]
    data = Sheet(np.zeros((2, 5, 8, 8, 4), np.uint8), ("linear", "spherical"), "", tuple(names))
    fig = drawn(sheet, data, preset)
    boxes = [tick.get_window_extent() for tick in fig.axes[0].get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
    assert boxes[-1].x1 <= fig.bbox.x1
    assert max(box.y1 for box in boxes) <= fig.bbox.y1
    assert max(map(len, sheet_on_screen(data, "t", "a").layout.xaxis.ticktext)) <= 20


@pytest.mark.parametrize("matched", [0.7, None])
def test_a_legend_names_matched_rows_only_where_there_are_some(matched):
    row = {"against": "b", "score": "rate", "baseline": False, "auroc": 0.9, "low": 0.8, "high": 1.0}
    rows = pd.DataFrame([row | dict.fromkeys(("matched", "matched_low", "matched_high"), matched)])
    data = OutliersData(rows, ("b",), "", "total")
    named = ["all rows", "at equal total"][: 1 if matched is None else 2]
    assert [text.get_text() for text in drawn(outliers, data).legends[0].get_texts()] == named
    assert [trace.name for trace in outliers_on_screen(data).data] == named


SETTINGS = ("AE", "β = 0.25", "β = 0.5", "β = 1", "β = 2", "β = 4", "annealed-vae, gamma = 50")


@pytest.mark.parametrize("ends", ["", "|12.1 nats"])
@pytest.mark.parametrize("width", [1.0, 1.8, 5.0, 7.0])
def test_names_of_settings_below_an_axis_keep_apart(width, ends):
    """Flat, in lines or upright: none reaches over the next one's, and all are below the axes as high as was said."""
    chosen = _style.preset("neurips")
    names = fitted([name + ends for name in SETTINGS], chosen, width)
    with _style.rendering(chosen.size, chosen.family):
        fig = _style.canvas("nature-double", 3.0, arranged=False)
        axes = fig.add_axes((0.05, 0.5, width / fig.get_figwidth(), 0.4))
        names.on(axes)
        axes.set_xlim(-0.5, len(SETTINGS) - 0.5)
        fig.canvas.draw()
        boxes = [tick.get_window_extent() for tick in axes.get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
    assert max(box.height for box in boxes) / fig.dpi == pytest.approx(names.height, rel=0.25)


def test_names_of_settings_on_the_screen_stand_upright_where_they_have_no_room():
    assert on_screen(SETTINGS[:3])[0]["tickangle"] == 0
    words, tall = on_screen(SETTINGS, panels=3)
    assert words["tickangle"] == -90
    assert tall > 80, "the page leaves room for them"


def test_the_name_of_a_mean_at_the_end_of_the_curve_is_clear_of_the_line(toy_study):
    """The line falls to its end, so at the left of the last mean is room below it alone."""
    data = curve_of(list(toy_study))
    data = replace(data, means=data.means.assign(setting=data.means["setting"] + ", of a name that is long"))
    last = data.means["rate_mean"].max()
    [name] = [each for each in curve_on_screen(data).layout.annotations if each.x == last]
    assert (name.xanchor, name.yanchor) == ("right", "top")


def test_headings_of_panels_are_on_the_page():
    bars = Bars(("a feature with a name that is long",) * 3, np.ones(3), ("#000000",) * 3)
    data = Panels(tuple(Panel("z0, straightness 0.98 · all below 0.05", bars=bars) for _ in range(4)), 2, "", "")
    fig = drawn(panels, data)
    fig.get_layout_engine().execute(fig)
    fig.canvas.draw()
    titles = [
        each for axes in fig.axes for each in (axes.title, axes._left_title, axes._right_title) if each.get_text()
    ]
    assert len(titles) == 4
    boxes = [each.get_window_extent() for each in titles]
    assert all(box.x0 >= 0 and box.x1 <= fig.bbox.x1 for box in boxes)
