"""The figures of debias, outliers, probe and explain: both renderers show what the run's files hold."""

import shutil

import numpy as np
import pandas as pd
import pytest
from pictures import pixels_of

from latentlab.errors import InputError
from latentlab.figures import _images, _style
from latentlab.runs.study import Study
from latentlab.system.registry import load

RUN = "beta-4-seed-0"


def both(kind, data):
    module = load("figures", kind)
    with _style.rendering(8):
        return module.interactive(data), module.static(data, "neurips")


def test_rare_rows_stand_above_what_was_decoded_of_them(toy_study):
    module, run = load("figures", "rare_rows"), toy_study[RUN]
    data = module.prepare(run, images=5)
    screen, paper = both("rare_rows", data)
    np.testing.assert_array_equal(pixels_of(screen.data[0].source), data.picture)
    np.testing.assert_array_equal(paper.axes[0].images[0].get_array(), data.picture)
    assert data.labels == ("rarest", "decoded", "commonest", "decoded")
    from latentlab.analysis.debias.record import load_extremes

    part = load_extremes(run)["rarest"]
    np.testing.assert_array_equal(data.cells[0, ..., 0], part.originals[:5, 0])
    np.testing.assert_array_equal(data.cells[1, ..., 0], part.images[:5, 0])
    table = module.numbers(data)
    assert table["weight"].tolist()[:5] == part.settings["weights"][:5]
    assert "effective sample size 99 of 768 rows" in data.subtitle


def test_outliers_shows_every_score_with_its_interval(toy_study):
    data = load("figures", "outliers").prepare(toy_study[RUN])
    screen, paper = both("outliers", data)
    for trace, column in zip(screen.data, ("auroc", "matched"), strict=True):
        np.testing.assert_allclose(np.array(trace.x, float), data.rows[column])
    drawn = [c for c in paper.axes[0].collections if c.get_gid() in ("all rows", "at equal brightness")]
    np.testing.assert_allclose(
        sorted(float(c.get_offsets()[0, 0]) for c in drawn), sorted([*data.rows["auroc"], *data.rows["matched"]])
    )
    low = np.array(screen.data[0].x) - np.array(screen.data[0].error_x.arrayminus)
    np.testing.assert_allclose(low, data.rows["low"])
    assert "in-distribution rows were training rows" in data.subtitle
    with pytest.raises(InputError, match="has no result against nothing"):
        load("figures", "outliers").prepare(toy_study[RUN], against="nothing")


def test_few_labels_draws_each_run_once(toy_study):
    module = load("figures", "few_labels")
    data = module.prepare(list(toy_study))
    screen, paper = both("few_labels", data)
    lines = [line for line in paper.axes[0].lines if line.get_gid() == "curves"]
    assert len(screen.data) == len(lines) == len(data.curves) == 8
    for trace, line, (_, _, curve) in zip(screen.data, lines, data.curves, strict=True):
        np.testing.assert_allclose(trace.y, curve.accuracy)
        np.testing.assert_allclose(line.get_ydata(), curve.accuracy)
    assert len(module.numbers(data)) == 16
    assert data.chance == pytest.approx(1 / 3)
    with pytest.raises(InputError, match="no run has a knn curve"):
        module.prepare(list(toy_study), estimator="knn")


def test_a_setting_has_its_colour_in_every_figure_whichever_runs_that_shows(toy_study, tmp_path):
    """Where β = 1, the lightest, was not probed, the other settings do not take its colour."""
    study = Study(shutil.copytree(toy_study.path, tmp_path / "study"))
    for run in study.runs:
        if run.config.beta == 1:
            (run.path / "probes.json").unlink()
    few, every = (load("figures", kind).prepare(study.runs).colours for kind in ("few_labels", "rate_distortion"))
    assert set(few) == set(every) - {"β = 1"}
    assert few == {name: every[name] for name in few}


def test_a_setting_without_beta_has_a_colour_of_no_beta_that_is_seen_on_white():
    table = pd.DataFrame(
        {
            "setting": ["AE", "β = 1", "β = 2", "β = 4", "β = 8", "β = 16", "annealed-vae, gamma = 50"],
            "objective": ["ae", *["beta-vae"] * 5, "annealed-vae"],
            "beta": [np.nan, 1, 2, 4, 8, 16, np.nan],
        }
    )
    found = _style.of_settings(table)
    assert len(set(found.values())) == len(table)
    assert found["annealed-vae, gamma = 50"] == _style.of_settings(table.iloc[[0, 1, -1]])["annealed-vae, gamma = 50"]
    red, green, blue = (int(found["annealed-vae, gamma = 50"][i : i + 2], 16) for i in (1, 3, 5))
    assert 0.3 * red + 0.6 * green + 0.1 * blue < 190, "pale on white"


def test_effects_has_a_row_of_two_maps_a_dimension_in_their_order(toy_study):
    module, run = load("figures", "effects"), toy_study[RUN]
    data = module.prepare(run)
    screen, paper = both("effects", data)
    np.testing.assert_array_equal(pixels_of(screen.data[0].source), data.sheet.picture)
    for axes, pair in zip(paper.axes, data.sheet.cells, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), _images.mosaic(pair[None], data.sheet.gap))
    assert (data.sheet.cells[..., 3] == 255).all(axis=(1, 2, 3)).tolist() == [not dead for dead in data.grey]
    from latentlab.analysis.explain.record import effects_of

    effects = effects_of(run)
    assert data.sheet.cells.shape[:2] == (4, 2)
    np.testing.assert_allclose(data.table["strength"], effects.strength[data.table["index"]])
    assert data.sheet.labels[0].startswith(f"{data.table['dim'][0]} {data.table['top_factor'][0]}, straightness 0.")
    assert data.sheet.labels[-1].endswith("straightness –")
    from latentlab.analysis.leakage.record import load_leakage
    from latentlab.analysis.leakage.record import table as leaks

    known = leaks(load_leakage(run)).set_index("dim")["into"]
    assert data.table.set_index("dim")["leaks_into"].dropna().to_dict() == known.dropna().to_dict()


@pytest.mark.parametrize(
    ("file", "kind", "match"),
    [
        ("outliers.json", "outliers", "entries is missing; recompute it"),
        ("probes.json", "few_labels", "curves is missing; recompute it"),
        ("effects.h5", "effects", "effects"),
        ("debiasing.h5", "rare_rows", "debiasing.h5"),
    ],
)
def test_a_damaged_file_is_named(file, kind, match, tmp_path):
    from toy import write_run

    run = write_run(tmp_path / "run", 4.0, 0)
    (run.path / file).write_text("{}")
    with pytest.raises(InputError, match=match) as error:
        load("figures", kind).prepare([run] if kind == "few_labels" else run)
    assert len(str(error.value)) < 250
