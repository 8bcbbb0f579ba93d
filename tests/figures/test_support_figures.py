"""The figures of support and of the identity: both renderers show what was measured."""

from types import SimpleNamespace

import numpy as np
import pytest
from pictures import pixels_of
from toy import write_run, write_study
from toy_support import write_evidence, write_surveys

from latentlab.analysis.support.record import read_sheet, support_table
from latentlab.errors import InputError
from latentlab.figures import _style, draw, export
from latentlab.system.registry import load

KINDS = ("support", "widths", "neighbours", "identity", "size")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    found = write_study(tmp_path_factory.mktemp("support") / "study")
    write_surveys(found)
    write_evidence(found["beta-1-seed-0"])
    return found


def given(kind, study):
    return list(study) if load("figures", kind).TAKES == "runs" else study["beta-1-seed-0"]


def both(kind, data):
    module = load("figures", kind)
    with _style.rendering(8):
        return module.interactive(data), module.static(data, "neurips")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_drawn_tells_itself_and_has_the_same_bytes_twice(kind, study, tmp_path):
    figure = draw(kind, given(kind, study))
    assert len(figure.layout.meta["alt"]) > 40
    first, again = (export(kind, given(kind, study), tmp_path / f"{n}.svg").read_bytes() for n in "ab")
    assert first == again
    for preset in ("icml", "nature-double"):
        assert export(kind, given(kind, study), tmp_path / f"{preset}.pdf", preset=preset).stat().st_size > 5_000


def test_support_shows_every_run_and_leaves_out_what_is_free(study):
    data = load("figures", "support").prepare(list(study))
    screen, paper = both("support", data)
    table = support_table(list(study))
    shown = sorted(y for trace in screen.data for y in trace.y)
    expected = sorted(
        value
        for arm in ("prior", "gaussian", "aggregate")
        for key in ("precision", "coverage", "holes")
        for value in table[f"{arm}.{key}"].dropna()
    )
    np.testing.assert_allclose(shown, expected)
    on_paper = sorted(y for a in paper.axes for c in a.collections for y in c.get_offsets()[:, 1])
    np.testing.assert_allclose(on_paper, expected)
    assert len(table["prior.holes"].dropna()) == 6
    assert "undefined for deterministic" in data.subtitle
    assert any("probe 0.80" in tick for tick in data.ticks)


def test_widths_shows_the_rows_of_the_sheet(study):
    run = study["beta-4-seed-0"]
    data = load("figures", "widths").prepare(run, images=6)
    sheet = read_sheet(run)
    np.testing.assert_array_equal(data.cells[0, ..., 0], sheet["narrowest"].originals[:6, 0])
    np.testing.assert_array_equal(data.cells[3, ..., 0], sheet["widest"].images[:6, 0])
    screen, paper = both("widths", data)
    np.testing.assert_array_equal(pixels_of(screen.data[0].source), data.picture)
    np.testing.assert_array_equal(paper.axes[0].images[0].get_array(), data.picture)
    with pytest.raises(InputError, match="deterministic encoder has no posterior"):
        draw("widths", study["ae-seed-0"])


def test_identity_draws_posterior_and_q(study):
    data = load("figures", "identity").prepare(study["beta-1-seed-0"])
    screen, paper = both("identity", data)
    maps = [trace for trace in screen.data if trace.type == "heatmap"]
    np.testing.assert_allclose([trace.z for trace in maps], data.exact.posterior)
    drawn = [axes.images[0].get_array() for axes in paper.axes if axes.images]
    np.testing.assert_allclose(drawn, data.exact.posterior)
    radius = np.abs(data.rings[0, 0] - data.exact.mean[0][:, None]).max(axis=1)
    np.testing.assert_allclose(radius, np.sqrt(data.exact.variance[0]), rtol=1e-6)
    table = load("figures", "identity").numbers(data)
    np.testing.assert_allclose(table["log_likelihood"], table["elbo"] + table["gap"])


@pytest.mark.parametrize(
    ("latent_dim", "settings", "why"),
    [(3, {}, "it has 3 latent dimensions"), (2, {"no_quadrature": "too narrow"}, "too narrow"), (2, {}, "conditions")],
)
def test_identity_says_why_there_is_nothing_to_draw(monkeypatch, latent_dim, settings, why):
    module = load("figures", "identity")
    monkeypatch.setattr(module, "read_evidence", lambda run: SimpleNamespace(exact=None, settings=settings))
    with pytest.raises(InputError, match=why):
        module.prepare(SimpleNamespace(path="run", config=SimpleNamespace(latent_dim=latent_dim)))


def test_an_objective_without_beta_is_not_called_an_autoencoder(tmp_path):
    objective = {"name": "factor-vae", "gamma": 10.0}
    runs = [write_run(tmp_path / "a", 1.0, 0), write_run(tmp_path / "b", 4.0, 0, objective=objective)]
    data = load("figures", "size").prepare(runs)
    assert list(data.names.values()) == ["factor-vae, gamma = 10"]
    assert "AE" not in load("figures", "size").alt(data)


def test_size_shows_every_run_against_what_varies(study):
    data = load("figures", "size").prepare(list(study))
    assert data.x == "beta"
    assert list(data.places) == [-1, 1, 4, 16]
    screen, paper = both("size", data)
    dots = sorted(y for trace in screen.data if trace.mode == "markers" for y in trace.y)
    on_paper = sorted(
        y for a in paper.axes for c in a.collections if c.get_gid() == "runs" for y in c.get_offsets()[:, 1]
    )
    np.testing.assert_allclose(dots, on_paper)
    assert len(dots) == 8 + 6 + 6


def test_runs_on_different_scales_are_not_drawn_together(tmp_path):
    grey = write_run(tmp_path / "grey", 1.0, 0)
    other = write_run(tmp_path / "gaussian", 1.0, 0, likelihood="gaussian")
    bits = write_run(tmp_path / "bits", 1.0, 0, analysed=False, source={"binarised": 0})
    for pair in ([grey, other], [grey, bits]):
        for kind in ("size", "rate_distortion"):
            with pytest.raises(InputError, match="likelihoods differ") as caught:
                draw(kind, pair)
            assert len(str(caught.value)) <= 200


@pytest.mark.parametrize(
    ("kind", "remedy"), [("support", "support"), ("widths", "support"), ("identity", "likelihood")]
)
def test_what_was_not_measured_is_named_with_the_remedy(kind, remedy, tmp_path):
    run = write_run(tmp_path / "bare", 1.0, 0)
    with pytest.raises(InputError, match=f"latentlab {remedy}"):
        draw(kind, run)


def test_the_identity_shows_an_objective_of_any_name(tmp_path):
    run = write_run(tmp_path / "run", 4.0, 0, objective={"name": "<u>x</u>%{y}&amp; $a_b$", "beta": 4.0})
    write_evidence(run)
    heading = draw("identity", run).layout.title.text
    assert "&lt;u&gt;x&lt;/u&gt;%&#123;y}&amp;amp; $a_b$" in heading
    assert b"<svg" in export("identity", run, tmp_path / "a.svg").read_bytes()
