"""Figures of signals, tables and counts, in both renderers: they work, and show what people of those fields expect."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from latentlab.analysis.encode.stage import encode
from latentlab.analysis.explain.stage import explain
from latentlab.analysis.support.stage import support
from latentlab.analysis.traverse.stage import decode_run
from latentlab.data.kinds import Form
from latentlab.data.kinds._draw import bars
from latentlab.errors import InputError
from latentlab.figures import _curves, _features, _panels, draw, rendered, texts
from latentlab.models.live import live
from latentlab.runs.run import Run
from latentlab.system.registry import load

KINDS = ("signal", "table", "counts")
DECODING = ("samples", "manifold", "interpolation", "directions", "attribute", "code")
NAMES = [f"S{k:03d}" for k in range(120)]
PLURALS = {"signal": "signals", "table": "rows", "counts": "samples"}


def samples(kind: str) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    factors = rng.uniform(0, 1, (120, 2))
    mixed = factors @ rng.normal(size=(2, 40)) + 0.05 * rng.normal(size=(120, 40))
    return {
        "signal": {"x": np.stack([1e4 + mixed, mixed], axis=1), "axis": np.linspace(1100, 2500, 40), "axis_unit": "nm"},
        "table": {"x": mixed[:, :6], "feature_names": ("pH", "<b>", "sugar", "acid", "iron", "zinc")},
        "counts": {"x": rng.poisson(np.exp(1 + mixed)), "feature_names": tuple(f"GENE{k}" for k in range(40))},
    }[kind] | {"kind": kind, "factors": factors, "row_ids": NAMES}


@pytest.fixture(scope="module", params=KINDS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    from latentlab.data import from_arrays
    from latentlab.training.train import train

    given = samples(request.param)
    data = from_arrays(given.pop("x"), given.pop("kind"), **given)
    made = train(data, tmp_path_factory.mktemp(request.param) / "run", latent_dim=3, steps=60, threads=1, beta=0.1)
    encode(made, data)
    decode_run(made, data)
    explain(made)
    return made


@pytest.mark.parametrize("kind", [*DECODING, "traversals", "reconstructions", "effects"])
def test_a_figure_is_drawn_by_both_renderers_and_told_in_words(run: Run, kind: str) -> None:
    options = {"model": live(run)} if kind in DECODING else {}
    drawn = draw(kind, run, **options)
    assert drawn.data
    assert rendered(kind, run, "png", **options).startswith(b"\x89PNG")
    told = rendered(kind, run, "txt", **options).decode()
    assert "image" not in told
    assert PLURALS[run.config.form.kind] in told.lower() or kind in ("reconstructions", "attribute")
    assert len(rendered(kind, run, "csv", **options).decode().splitlines()) > 1


def test_names_and_units_are_on_traversals_and_effects(run: Run) -> None:
    for kind in ("traversals", "effects"):
        told = rendered(kind, run, "svg").decode() + rendered(kind, run, "csv").decode()
        assert {"signal": "nm", "table": "sugar", "counts": "GENE"}[run.config.form.kind] in told


def test_names_are_no_markup(run: Run) -> None:
    if run.config.form.kind == "table":
        assert "<b>" not in str([axis.ticktext for axis in draw("reconstructions", run).select_yaxes()])


def test_rows_are_named_by_their_names_or_ids_in_every_figure(run: Run) -> None:
    model, ids = live(run), run.codes().row_ids
    shown = load("figures", "interpolation").prepare(run, model=model, a="S003", b=str(ids[17]))
    plain = load("figures", "interpolation").prepare(run, model=model, a=int(ids[3]), b=int(ids[17]))
    assert np.array_equal(shown.codes, plain.codes)
    assert "from row S003 to row S017" in shown.subtitle
    for kind in ("code", "manifold", "directions", "attribute"):
        assert "row S005" in str(vars(load("figures", kind).prepare(run, model=model, row="S005")))
    assert "around row S" in load("figures", "traversals").prepare(run).subtitle
    panels = load("figures", "reconstructions").prepare([run]).panels.panels
    assert all(panel.heading.startswith("row S") for panel in panels if not panel.low)
    with pytest.raises(InputError, match="no row is called 'nobody'; these are 120 rows, such as 'S000'"):
        load("figures", "interpolation").prepare(run, model=model, a="nobody")


def test_options_that_may_be_words_stay_words() -> None:
    assert {"a", "b", "way"} <= texts("interpolation")
    assert not {"steps", "model"} & texts("interpolation")


def test_a_change_is_told_in_the_unit_of_the_kind(run: Run) -> None:
    unit = {"signal": "standard deviations", "table": "standard deviations", "counts": "counts"}
    assert run.config.form.amount(0.25) == f"0.25 {unit[run.config.form.kind]}"
    assert Form("image", (1, 4, 4), "uint8", scale=(255.0,)).amount(0.255) == "25.5 %"


def test_bars_of_neighbouring_samples_do_not_touch() -> None:
    for d in (1, 5, 120, 900):
        picture = bars(np.ones((2, d)), signed=False)
        assert picture.shape == (2, 3, 64, 128)
        assert (picture[..., :4] == 255).all()
        assert (picture[..., -4:] == 255).all()
        assert (picture[..., 4:-4] < 255).any()


def test_a_run_without_a_dimension_in_use_has_no_strips(run: Run) -> None:
    data = load("figures", "compare")
    assert data._strips(run, run.codes(), [(-1, float("nan"), False)], live(run), 0, 5) == [None]


def test_filling_is_refused_in_one_line(run: Run) -> None:
    with pytest.raises(InputError, match="hidden only in images"):
        draw("filling", run, model=live(run))


def test_curves_of_a_traversal_are_the_decoded_values_over_the_axis(run: Run) -> None:
    if run.config.form.kind != "signal":
        return
    part = run.decodings()["traversals-prior"]
    shown = _curves.traversals(part.form, part.images, ["a", "b", "c"], [False] * 3)
    assert len(shown.panels) == 6, "a panel for each dimension and channel"
    for k, panel in enumerate(shown.panels):
        for step, line in enumerate(panel.lines):
            assert np.array_equal(line.y, part.images[k // 2, step, k % 2])
            assert np.array_equal(line.x, np.linspace(1100, 2500, 40))


def test_one_point_is_seen() -> None:
    shown = _curves.traversals(Form("signal", (1, 1)), np.arange(3.0).reshape(1, 3, 1, 1), ["a"], [False])
    assert all(line.point for line in shown.panels[0].lines)
    assert {trace.mode for trace in _panels.interactive(shown, "t", "s", "a").data[:3]} == {"markers"}
    axes = _panels.static(shown, "neurips").axes[0]
    assert {line.get_marker() for line in axes.lines} == {"o"}


def test_residuals_are_data_less_reconstruction() -> None:
    form = Form("signal", (1, 40), "float64")
    data = np.random.default_rng(0).normal(size=(5, 1, 40))
    shown = _curves.reconstructions(form, data, {"run": data - 0.25}, [str(k) for k in range(5)])
    low = [panel for panel in shown.panels if panel.low]
    assert len(low) == 5
    assert all(np.allclose(panel.lines[0].y, 0.25) for panel in low)


def test_the_features_that_change_most_are_shown_in_units_that_compare() -> None:
    names = tuple("abcdefgh")
    form = Form("table", (8,), "float64", scale=(1.0, 1000.0) + (1.0,) * 6, names=names)
    strip = np.zeros((1, 2, 8))
    strip[0, 1] = [3, 500, -2, 0.01, 0, 0, 0, -4]
    (panel,) = _features.traversals(form, strip, ["z0"], [False]).panels
    assert panel.bars is not None
    assert panel.bars.names == ("a", "b", "c", "h")
    assert panel.bars.values.tolist() == [3, 0.5, -2, -4]
    counts = Form("counts", (2,), "int32", names=("A", "B"))
    found = _features.contrast(counts, np.array([9.9, 99.9]), np.array([19.9, 49.9]))
    assert found == pytest.approx([1, -1])


def test_samples_beside_data_are_drawn_for_every_kind(run: Run) -> None:
    from latentlab.data import from_arrays

    given = samples(run.config.form.kind)
    support(run, data=from_arrays(given.pop("x"), given.pop("kind"), **given), samples=100)
    for kind in ("support", "neighbours", "widths"):
        assert draw(kind, run if kind != "support" else [run]).data
        assert rendered(kind, run, "png").startswith(b"\x89PNG")
        told = rendered(kind, run, "txt").decode()
        assert "image" not in told
        assert kind == "support" or PLURALS[run.config.form.kind] in told.lower()
    sheet = load("figures", "neighbours").prepare(run)
    assert sheet.cells.shape[1] == 4, "twelve would be too narrow to read"
