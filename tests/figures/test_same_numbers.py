"""Both renderers of a kind show the numbers that were prepared, and the numbers are those of the study."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from pictures import pixels_of
from toy import ToyModel, picture, write_run

from latentlab.codes.dimensions import dimensions, knowledge
from latentlab.codes.matching import alongside, match
from latentlab.errors import InputError
from latentlab.figures import _images, _style, draw
from latentlab.runs.comparison import compare, summarise
from latentlab.runs.notes import name_selection
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.system.files import read_json, write_json
from latentlab.system.registry import load


def both(kind, data, preset="neurips"):
    module = load("figures", kind)
    with _style.rendering(8):
        return module.interactive(data), module.static(data, preset)


def prepared(kind, runs, **options):
    return load("figures", kind).prepare(runs, **options)


@pytest.fixture
def run(toy_study: Study):
    return toy_study["beta-4-seed-0"]


def test_mosaic_keeps_every_cell_and_its_png_every_pixel():
    cells = np.random.default_rng(0).integers(0, 255, (3, 4, 6, 5, 4)).astype(np.uint8)
    picture = _images.mosaic(cells, gap=2)
    assert picture.shape == (3 * 8 - 2, 4 * 7 - 2, 4)
    rows, columns = _images.centres(3, 6, 2), _images.centres(4, 5, 2)
    for r in range(3):
        for c in range(4):
            top, left = int(rows[r] - 2.5), int(columns[c] - 2)
            np.testing.assert_array_equal(picture[top : top + 6, left : left + 5], cells[r, c])
    np.testing.assert_array_equal(pixels_of(_images.data_uri(picture)), picture)


def test_traversals(run):
    data = prepared("traversals", run)
    screen, paper = both("traversals", data)
    np.testing.assert_array_equal(pixels_of(screen.data[0].source), data.picture)
    np.testing.assert_array_equal(paper.axes[0].images[0].get_array(), data.picture)
    part, order = run.decodings()["traversals-prior"], dimensions(run.codes())["index"].to_numpy()
    np.testing.assert_array_equal(data.cells[..., 0], part.images[order, :, 0])
    np.testing.assert_allclose(data.values, np.tile(np.linspace(-2, 2, 7), (4, 1)), atol=1e-6)
    anchor = run.codes().mean[100][order]
    nearest = [int(np.abs(np.linspace(-2, 2, 7) - value).argmin()) for value in anchor]
    assert data.anchor.tolist() == nearest
    hovered = np.array(screen.data[1].customdata)[:, 1].astype(float)
    np.testing.assert_allclose(hovered, data.values.ravel(), atol=0.006)
    assert len(screen.layout.shapes) == len(paper.axes[0].patches) == 4


def test_inactive_rows_are_faded_and_an_autoencoder_has_none(toy_study):
    data = prepared("traversals", toy_study["beta-4-seed-0"])
    opaque = (data.cells[..., 3] == 255).all(axis=(1, 2, 3))
    assert opaque.tolist() == data.table["active"].tolist() == [True, True, True, False]
    assert (prepared("traversals", toy_study["ae-seed-0"]).cells[..., 3] == 255).all()


def test_reconstructions(toy_study):
    data = prepared("reconstructions", list(toy_study), images=5)
    screen, paper = both("reconstructions", data)
    np.testing.assert_array_equal(pixels_of(screen.data[0].source), data.picture)
    np.testing.assert_array_equal(paper.axes[0].images[0].get_array(), data.picture)
    part = toy_study[0].decodings()["reconstructions"]
    np.testing.assert_array_equal(data.cells[0, ..., 0], part.originals[:5, 0])
    np.testing.assert_array_equal(data.cells[1, ..., 0], part.images[:5, 0])
    assert data.labels[:3] == ("original", "AE, seed 0", "AE, seed 1")


def test_kl(run):
    data = prepared("kl", run)
    screen, paper = both("kl", data)
    widths = [bar.get_width() for bar in paper.axes[0].patches]
    expected = np.concatenate(list(data.parts.values()))
    np.testing.assert_allclose(np.concatenate([trace.x for trace in screen.data]), expected)
    np.testing.assert_allclose(widths, expected)
    assert expected.sum() == pytest.approx(run.codes().rate.mean(), rel=1e-5)


def test_kl_of_an_autoencoder_is_its_variance_and_is_called_so(toy_study):
    data = prepared("kl", toy_study["ae-seed-0"])
    assert sum(next(iter(data.parts.values()))) == pytest.approx(1)
    assert "KL" not in data.title
    assert "no KL" in data.subtitle


def test_correlation(run):
    data = prepared("correlation", run)
    screen, paper = both("correlation", data)
    coloured = np.where(np.eye(4, dtype=bool), np.nan, data.values)  # the diagonal would take the whole scale
    np.testing.assert_allclose(screen.data[0].z, coloured)
    np.testing.assert_allclose(paper.axes[0].collections[0].get_array().filled(np.nan).reshape(4, 4), coloured)
    assert screen.data[0].zmax == paper.axes[0].collections[0].norm.vmax == pytest.approx(0.1)
    written = [text.get_text() for text in paper.axes[0].texts]
    assert written == screen.data[0].text.ravel().tolist()
    assert written[0] == "1.00"
    assert ".01" in written
    assert "" not in written
    from scipy.stats import spearmanr

    order = dimensions(run.codes())["index"].to_numpy()
    np.testing.assert_allclose(data.values, np.abs(spearmanr(run.codes().mean[:, order]).statistic), atol=1e-12)
    pearson = prepared("correlation", run, method="pearson").values
    np.testing.assert_allclose(pearson, np.abs(np.corrcoef(run.codes().mean[:, order].T.astype(float))), atol=1e-12)


def test_correlation_of_a_constant_dimension_is_undefined(toy_study):
    data = prepared("correlation", toy_study["beta-16-seed-0"])
    constant = data.labels.index("z2")
    assert np.isnan(data.values[constant]).all()
    assert np.isfinite(np.delete(np.delete(data.values, constant, 0), constant, 1)).all()
    both("correlation", data)


def test_factor_matrix_reads_the_score_and_agrees_with_the_codes(run):
    data = prepared("factor_matrix", run)
    screen, paper = both("factor_matrix", data)
    np.testing.assert_allclose(screen.data[0].z, data.values)
    np.testing.assert_allclose(paper.axes[0].collections[0].get_array().reshape(4, 4), data.values)
    order = dimensions(run.codes())["index"].to_numpy()
    np.testing.assert_allclose(data.values, knowledge(run.codes()).normalised[order], atol=1e-9)
    assert data.factors == ("shape", "x", "y", "angle")
    assert "MIG" in data.subtitle
    with _style.rendering(8):
        paper.canvas.draw()
        label = paper.axes[1].yaxis.label.get_window_extent()
    assert 0 <= label.y0 < label.y1 <= paper.bbox.y1, "the bar's label fits beside four rows"


SHAPES = ("square", "ellipse", "heart")


@pytest.mark.parametrize("by", ["shape", "x", "angle"])
def test_projection(run, by):
    data = prepared("projection", run, by=by)
    screen, paper = both("projection", data)
    [points, *legend] = screen.data
    shown, rows = np.column_stack([points.x, points.y]), points.customdata
    np.testing.assert_array_equal(shown[np.argsort(rows)], data.xy[np.argsort(data.row_ids)])
    np.testing.assert_array_equal(paper.axes[0].collections[0].get_offsets(), data.xy)
    column = run.codes().factors[data.row_ids, run.codes().factor_names().index(by)]
    assert np.corrcoef(column, data.values)[0, 1] == pytest.approx(1)
    assert "500 of 768 rows" in data.subtitle
    assert "trustworthiness" in data.subtitle
    assert data.cyclic == (by == "angle")
    if by == "shape":
        assert [trace.name for trace in legend] == ["square", "ellipse", "heart"]
        assert [legend[int(level)].name for level in points.marker.color] == points.text.tolist()
        assert [SHAPES[int(level)] for level in column] == points.text.tolist()


def test_rate_distortion(toy_study):
    data = prepared("rate_distortion", list(toy_study))
    screen, paper = both("rate_distortion", data)
    [rings] = [trace for trace in screen.data if trace.name == "means of settings"]
    dots = [trace for trace in screen.data if trace.mode == "markers" and trace.name not in ("no rate", rings.name)]
    on_screen = np.concatenate([np.column_stack([trace.x, trace.y]) for trace in dots])
    on_paper = np.concatenate([c.get_offsets() for c in paper.axes[0].collections if c.get_gid() == "runs"])
    table = compare(toy_study)
    expected = table[table["rate"].notna()][["rate", "distortion"]].to_numpy()
    np.testing.assert_allclose(np.sort(on_screen, axis=0), np.sort(expected, axis=0))
    np.testing.assert_allclose(on_paper, on_screen)
    means = summarise(table).dropna(subset="rate_mean").sort_values("rate_mean")
    lines = [line for line in paper.axes[0].lines if line.get_gid() == "means"]
    assert len(lines) == 1
    np.testing.assert_allclose(lines[0].get_xydata(), means[["rate_mean", "distortion_mean"]])
    np.testing.assert_allclose(screen.data[0].y, means["distortion_mean"])
    on_paper = np.concatenate([c.get_offsets() for c in paper.axes[0].collections if c.get_gid() == "rings"])
    np.testing.assert_allclose(np.column_stack([rings.x, rings.y]), on_paper)
    np.testing.assert_allclose(on_paper, means[["rate_mean", "distortion_mean"]])
    ae = table[table["label"] == "AE"]["distortion"]
    heights = sorted({shape.y0 for shape in screen.layout.shapes})
    assert heights == pytest.approx(sorted([*ae, ae.mean()]))


def test_scores(toy_study):
    data = prepared("scores", list(toy_study))
    screen, paper = both("scores", data)
    table = compare(toy_study)
    on_screen = sorted(np.concatenate([trace.y for trace in screen.data if trace.mode == "markers"]))
    on_paper = sorted(
        y for a in paper.axes for c in a.collections if c.get_gid() == "seeds" for y in c.get_offsets()[:, 1]
    )
    expected = sorted([*table["mig"], *table["dci"], *table["active_units"].dropna()])
    np.testing.assert_allclose(on_screen, expected)
    np.testing.assert_allclose(on_paper, expected)
    assert [column for column, _ in data.panels] == ["dci", "mig", "active_units"]
    assert [column for column, _ in prepared("scores", list(toy_study), metrics="mig").panels] == ["mig"]
    assert "rotated" in data.subtitle


def test_scores_are_shown_where_their_interval_is(toy_study, tmp_path):
    shutil.copytree(toy_study["beta-4-seed-0"].path, tmp_path / "run")
    kept = read_json(tmp_path / "run" / "scores.json")
    mig = {"value": 0.19, "interval": [0.24, 0.26], "beside": {"all_rows": 0.25}, "settings": {"interval": "x"}}
    write_json(tmp_path / "run" / "scores.json", {**kept, "scores": {"mig": mig}})
    screen, paper = both("scores", prepared("scores", [Run(tmp_path / "run")], metrics="mig"))
    [dots] = [trace for trace in screen.data if trace.mode == "markers"]
    [seeds] = [c for c in paper.axes[0].collections if c.get_gid() == "seeds"]
    assert [*dots.y, *seeds.get_offsets()[:, 1]] == [0.25, 0.25]
    assert (dots.error_y.array[0], dots.error_y.arrayminus[0]) == pytest.approx((0.01, 0.01))


@pytest.mark.parametrize("kind", ["plane", "projection"])
def test_more_rows_than_points_lie_over_the_density_of_all(run, kind, monkeypatch):
    monkeypatch.setattr(load("figures", "projection"), "POINTS", 100)
    data = prepared(kind, run, by="x")
    every = 768 if kind == "plane" else 500
    assert len(data.xy) == 100
    assert data.density.counts.sum() == every
    assert "100 as points" in data.subtitle
    screen, paper = both(kind, data)
    below, points = screen.data
    np.testing.assert_array_equal(below.z, data.density.shade)
    np.testing.assert_array_equal(points.customdata, data.row_ids)
    mesh = next(c for c in paper.axes[0].collections if c.get_array() is not None and c.get_array().size > 100)
    np.testing.assert_array_equal(mesh.get_array().filled(np.nan), data.density.shade)
    here = np.histogram2d(*data.xy.astype(float).T, bins=(data.density.x, data.density.y))[0].T
    assert (here <= data.density.counts).all(), "every point lies in a cell that counts it"
    assert set(data.row_ids) <= set(run.codes().row_ids)


@pytest.mark.parametrize("kind", ["plane", "projection"])
def test_as_many_rows_as_points_need_no_density(run, kind):
    assert prepared(kind, run).density is None


@pytest.mark.parametrize("kind", ["plane", "projection"])
def test_no_category_is_drawn_over_the_others(run, kind):
    data = prepared(kind, run, by="shape")
    late = data.values[len(data.values) // 2 :]
    for level in range(3):
        share = (data.values == level).mean()
        assert abs((late == level).mean() - share) < 0.1, "the rows lie in the order of the shapes, the points do not"
    np.testing.assert_array_equal(data.row_ids, prepared(kind, run, by="shape").row_ids)


def test_a_traversal_is_laid_over_a_picture_and_told_where_it_leaves_the_data(run):
    codes = run.codes()
    data = prepared("plane", run, x=0, y=2, path=2, row=100)
    [path] = data.overlays
    np.testing.assert_allclose(path.xy[:, 0], codes.mean[100, 0])
    np.testing.assert_allclose(path.xy[[0, -1], 1], [-2, 2])
    assert f"{path.far.sum()} of its 25 steps outside the data" in data.subtitle
    projected = prepared("projection", run, path=2, row=100).overlays[0]
    known = run.projections()["pca"]
    row = np.flatnonzero(known.row_ids == 100)
    assert len(row) == 0 or np.allclose(projected.xy.mean(axis=0), known.xy[row[0]], atol=2)
    screen, paper = both("plane", data)
    np.testing.assert_allclose(np.column_stack([screen.data[-1].x, screen.data[-1].y]), path.xy)
    line = next(line for line in paper.axes[0].lines if line.get_gid() == "overlay")
    np.testing.assert_allclose(line.get_xydata(), path.xy)


def test_ellipses_are_one_standard_deviation_of_the_posterior(run, toy_study):
    data = prepared("plane", run, x=0, y=1, ellipses=3)
    [rings] = data.overlays
    codes = run.codes()
    place = np.flatnonzero(codes.row_ids == data.row_ids[0])[0]
    first = rings.xy[:33]
    np.testing.assert_allclose(np.ptp(first, axis=0) / 2, np.sqrt(codes.variance[place, :2]), rtol=1e-6)
    np.testing.assert_allclose((first.max(axis=0) + first.min(axis=0)) / 2, codes.mean[place, :2], atol=1e-6)
    assert "1σ of 3 posteriors" in data.subtitle
    with pytest.raises(InputError, match="no ellipses"):
        prepared("plane", toy_study["ae-seed-0"], ellipses=3)


def test_kept_selections_colour_a_picture(tmp_path):
    run = write_run(tmp_path / "run", 4.0, 0)
    with pytest.raises(InputError, match="no selections by name"):
        prepared("plane", run, by="selections")
    name_selection(run, "first", np.arange(10))
    name_selection(run, "second", np.arange(5, 30))
    data = prepared("plane", run, by="selections")
    assert data.categories == ("first", "second")
    for level, ids in enumerate((range(10), range(10, 30))):
        assert sorted(data.row_ids[data.values == level]) == list(ids), "the first name wins"
    assert np.isnan(data.values).sum() == 768 - 30
    both("plane", data)


def test_panels_of_responses_share_their_scale_and_named_values_are_not_joined(run):
    data = prepared("responses", run, factor="shape")
    screen, paper = both("responses", data)
    assert {axes.get_ylim() for axes in paper.axes} == {data.limits}
    assert {axis.range for axis in screen.select_yaxes()} == {data.limits}
    assert {trace.mode for trace in screen.data} == {"markers"}
    assert all(container.lines[0].get_linestyle() == "None" for axes in paper.axes for container in axes.containers)
    on_screen = [value for trace in screen.data for value in trace.y]
    np.testing.assert_allclose(on_screen, [y for a in paper.axes for c in a.containers for y in c.lines[0].get_ydata()])
    joined, _ = both("responses", prepared("responses", run, factor="x"))
    assert "lines+markers" in {trace.mode for trace in joined.data}


def decoder(run):
    return ToyModel()


def test_compare_moves_matched_dimensions_of_all_runs_through_one_row(toy_study):
    one, other = toy_study["beta-1-seed-0"], toy_study["beta-16-seed-1"]
    data = prepared("compare", [one, other], model=decoder, row=100)
    screen, paper = both("compare", data)
    table = alongside([match(one.codes(), other.codes())])
    assert [row[0].index for row in data.rows] == table["first"].tolist()
    assert [-1 if row[1] is None else row[1].index for row in data.rows] == table["other1"].tolist()
    strips = [strip for column in zip(*data.rows, strict=True) for strip in column if strip is not None]
    for axes, strip in zip(paper.axes, strips, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), data.picture(strip))
    shown, (high, wide) = pixels_of(screen.data[0].source), data.shape
    tops = [int(note.y) for note in screen.layout.annotations if note.text == data.rows[0][0].name]
    np.testing.assert_array_equal(shown[tops[0] : tops[0] + high, :wide], data.picture(data.rows[0][0]))
    for run, k in ((one, 0), (other, 1)):
        strip = data.rows[0][k]
        code = run.codes().mean[100].copy()
        code[strip.index] = strip.values[0]
        np.testing.assert_array_equal(strip.cells[0, ..., 0], picture(code)[0])
        assert sorted(strip.values[[0, -1]]) == pytest.approx([-2, 2])
    assert data.titles == ("β = 1", "β = 16")
    words = load("figures", "compare").alt(data)
    assert "row 100 moved in each run" in words
    assert ("no partner" in words) == (table["other1"] == -1).any()


def test_an_unmatched_strip_is_faded_and_said(toy_study, tmp_path):
    one = toy_study["ae-seed-0"]
    other = write_run(tmp_path / "noise", 1.0, 5)
    data = prepared("compare", [one, other], model=decoder, top=4)
    known = {strip.matched: strip for row in data.rows for strip in row[1:] if strip is not None}
    for matched, strip in known.items():
        assert (strip.cells[..., 3] == 255).all() == matched
        assert strip.beside.startswith("|ρ|" if matched else "unmatched")


def test_a_turned_strip_has_its_name_turned(toy_study, monkeypatch):
    """The name says what is at the left and at the right of the strip, not of the dimension's own axis."""
    runs, codes_of = [toy_study["beta-1-seed-0"], toy_study["beta-16-seed-0"]], Run.codes
    mirrored = lambda run: replace(codes_of(run), mean=codes_of(run).mean * (1 if run == runs[0] else -1))  # noqa: E731
    monkeypatch.setattr(Run, "codes", mirrored)
    data = prepared("compare", runs, model=decoder, top=6)
    strips = [strip for row in data.rows for strip in row[1:] if strip is not None]
    assert any(strip.rho < 0 for strip in strips), "else nothing is tested"
    for strip in strips:
        assert (strip.values[0] > strip.values[-1]) == (strip.rho < 0) == strip.name.startswith("−z")
    assert "−z: turned" in data.subtitle


def test_compare_of_a_study_takes_one_run_a_setting(toy_study):
    data = prepared("compare", list(toy_study), model=decoder)
    assert data.runs == ("beta-1-seed-0", "beta-4-seed-0", "beta-16-seed-0", "ae-seed-0")
    assert "4 of 8 runs" in data.subtitle
    with pytest.raises(InputError, match="expected 2 to 4"):
        prepared("compare", [toy_study[0]], model=decoder)
    with pytest.raises(InputError, match="no row has the id 99999"):
        prepared("compare", list(toy_study), model=decoder, row=99999)
    with pytest.raises(InputError, match=r"model=ll\.live"):
        draw("compare", toy_study)


def test_overview_has_the_curve_the_strips_and_the_verdict(toy_study):
    data = prepared("overview", list(toy_study))
    screen, paper = both("overview", data)
    alone, _ = both("rate_distortion", data.curve)
    for trace, other in zip(screen.data, alone.data, strict=False):
        np.testing.assert_array_equal(trace.y, other.y)
    np.testing.assert_array_equal(pixels_of(screen.data[-1].source), paper.axes[0].images[0].get_array())
    assert [each.setting for each in data.shown] == ["AE", "β = 1", "β = 4", "β = 16"]
    for each in data.shown:
        table = dimensions(toy_study[each.run].codes(), notes={})
        best = table[table["active"].fillna(True)].sort_values("mi", ascending=False, kind="stable").head(2)
        assert [name.split()[0] for name in each.names] == best["dim"].tolist()
    assert "with 2 seeds each it cannot be decided" in data.subtitle
    assert "no run has collapsed" in data.subtitle


def test_overview_says_which_settings_have_no_strips(toy_study, monkeypatch):
    kind = load("figures", "overview")
    assert "no strips of" not in kind.prepare(list(toy_study)).subtitle
    monkeypatch.setattr(kind, "MOST", 3)
    assert "no strips of β = 16: only 3 are drawn" in kind.prepare(list(toy_study)).subtitle


def test_a_curve_of_many_settings_names_none_beside_its_points(toy_study, monkeypatch):
    kind = load("figures", "rate_distortion")
    assert {each.text for each in kind.interactive(kind.prepare(toy_study.runs)).layout.annotations} > {"β = 4"}
    monkeypatch.setattr(kind, "NAMED", 2)
    data = kind.prepare(toy_study.runs)
    assert "3 settings, too many to name" in data.subtitle
    assert [each.text for each in kind.interactive(data).layout.annotations] == ["AE, no rate"]
