"""Advice on β: the laws of linear VAEs, what deep ones were seen to keep, and which runs were trained for too short."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import latentlab as ll
from latentlab.cli import run as latentlab
from latentlab.data import Dataset, load
from latentlab.data.kinds import Form
from latentlab.errors import InputError
from latentlab.runs.calibration import calibrate
from latentlab.runs.measured import Measured, fit
from latentlab.runs.spectrum import Spectrum, spectrum
from latentlab.system.resources import CHECKOUT


def gaussian(eigenvalues: np.ndarray, rows: int = 6000, seed: int = 0) -> Dataset:
    """Rows of a Gaussian with these eigenvalues, turned at random, around grey."""
    rng = np.random.default_rng(seed)
    turned = np.linalg.qr(rng.standard_normal((len(eigenvalues), len(eigenvalues))))[0]
    values = 0.5 + (rng.standard_normal((rows, len(eigenvalues))) * np.sqrt(eigenvalues)) @ turned.T
    return load((np.clip(values, 0, 1) * 255).round().astype(np.uint8).reshape(rows, 1, 1, -1))


def test_eigenvalues_are_those_of_the_covariance_in_units_of_the_noise() -> None:
    data = gaussian(np.geomspace(0.02, 0.001, 12))
    values = data[:].reshape(len(data), -1) / 255
    expected = np.linalg.eigvalsh(np.cov(values.T, bias=True))[::-1]
    found = spectrum(data, likelihood="gaussian", sigma=0.2)
    assert found.eigenvalues == pytest.approx(expected / 0.04, rel=1e-3)
    assert found.total == pytest.approx(expected.sum() / 0.04, rel=1e-4)
    assert spectrum(data, likelihood="gaussian-learned").eigenvalues == pytest.approx(expected, rel=1e-3)


def test_of_bits_they_are_those_of_the_correlations() -> None:
    data = load("digits:binarised=0")
    values = data[:].reshape(len(data), -1) / 255
    varying = values[:, np.ptp(values, axis=0) > 0]
    expected = np.linalg.eigvalsh(np.corrcoef(varying.T))[::-1]
    assert spectrum(data).eigenvalues[:30] == pytest.approx(expected[:30], rel=1e-3)


def test_many_rows_of_many_pixels_give_the_same_largest_eigenvalues(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = spectrum(load("digits"), components=10)
    monkeypatch.setattr("latentlab.runs.spectrum.EXACT", 32)
    assert spectrum(load("digits"), components=10).eigenvalues == pytest.approx(exact.eigenvalues, rel=1e-3)


def samples(values: np.ndarray, kind: str) -> Dataset:
    """A table, or counts, of these rows."""
    form = Form(kind, values.shape[1:], "float32", missing=bool(np.isnan(values).any()))
    return Dataset(kind, values.shape, values.astype(np.float32).__getitem__, form=form)


def test_the_units_of_a_tables_columns_change_nothing() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((500, 2)) @ rng.standard_normal((2, 8)) * 2 + rng.standard_normal((500, 8))
    values[::7, 3] = np.nan
    advice, scaled = ll.advise(samples(values, "table")), ll.advise(samples(values * np.arange(1, 9) + 5, "table"))
    assert advice.settings["likelihood"] == "per-column"
    assert scaled.thresholds == pytest.approx(advice.thresholds, rel=1e-3)
    assert advice.thresholds[1] > 1.5 * advice.thresholds[2]  # two factors, then noise


def test_counts_without_structure_collapse_at_a_beta_of_one() -> None:
    """Under the Poisson likelihood: samples of any library size, up to the largest eigenvalue of pure noise."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(rng.uniform(1, 3, (4000, 1)) * rng.uniform(1, 5, 20))
    advice = ll.advise(samples(counts, "counts"), likelihood="poisson")
    assert advice.thresholds[0] == pytest.approx((1 + np.sqrt(20 / 4000)) ** 2, rel=0.05)
    with pytest.raises(InputError, match="likelihood is 'negative-binomial'; expected bernoulli, gaussian, poisson"):
        ll.advise(samples(counts, "counts"))
    with pytest.raises(InputError, match=r"values outside \[0, 1\]"):
        ll.advise(samples(counts, "counts"), likelihood="bernoulli")
    with pytest.raises(InputError, match="not counts"):
        ll.advise(samples(-counts, "table"), likelihood="poisson")


def test_no_more_rows_are_read_than_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentlab.runs.spectrum.NUMBERS", 64 * 100)
    assert spectrum(load("digits")).rows == 100


spectra = st.lists(st.floats(0.01, 100), min_size=4, max_size=30).map(lambda values: np.sort(values)[::-1])


@settings(max_examples=60, deadline=None)
@given(eigenvalues=spectra, beta=st.floats(0.3, 30), latent_dim=st.integers(1, 10))
def test_a_learned_noise_is_the_best_for_its_beta(eigenvalues: np.ndarray, beta: float, latent_dim: int) -> None:
    """The loss of the best linear VAE over σ², computed as a whole, is least where the closed form says."""
    d, total, columns = min(latent_dim, len(eigenvalues) - 2), float(eigenvalues.sum()), len(eigenvalues)
    found = Spectrum(eigenvalues, total, columns, True, 100)

    def loss(noise: float) -> float:
        kept = eigenvalues[:d][eigenvalues[:d] > beta * noise]
        error = total - kept.sum() + len(kept) * beta * noise
        return float(columns * np.log(noise) / 2 + error / (2 * noise) + beta / 2 * np.log(kept / (beta * noise)).sum())

    if beta * d >= columns:  # the more noise is taken away, the better: there is no best one
        return
    best = found.noise(beta, d) / beta
    assert all(loss(best) <= loss(best * factor) + 1e-7 for factor in np.geomspace(1e-3, 1e3, 301))


@given(eigenvalues=spectra, learned=st.booleans())
def test_thresholds_fall_and_rates_vanish_at_them(eigenvalues: np.ndarray, learned: bool) -> None:
    found = Spectrum(eigenvalues, float(eigenvalues.sum()), len(eigenvalues), learned, 100)
    assert (np.diff(found.thresholds) <= 1e-9).all()
    for place, threshold in enumerate(found.thresholds[:3], start=1):
        rates = found.rates(float(threshold) * (1 - 1e-8), place)
        assert len(rates) == place
        assert rates[-1] == pytest.approx(0, abs=1e-3)


def test_a_linear_vae_keeps_what_is_predicted(tmp_path: Path) -> None:
    """Two of three dimensions, with the predicted rate; that each takes a component of its own takes a longer training,
    which `benchmarks/advise.py` does."""
    data = gaussian(np.r_[0.08, 0.04, np.full(4, 2e-3)])
    found = spectrum(data, likelihood="gaussian", sigma=0.3)
    run = ll.train(
        data, tmp_path / "run", beta=0.1, network="linear", likelihood="gaussian", sigma=0.3, latent_dim=3,
        steps=2000, batch_size=256, learning_rate=2e-2, decay=0.9, threads=1,
    )  # fmt: skip
    codes = ll.encode(run, data)
    assert codes.rate is not None
    assert int(codes.active.sum()) == found.active(0.1, 3) == 2
    assert codes.rate.mean() == pytest.approx(found.rates(0.1, 3).sum(), rel=0.03)


def test_the_calibration_passes_through_the_runs_and_finds_their_beta_again() -> None:
    found = Spectrum(np.geomspace(60, 0.05, 200), 1000.0, 300, False, 1000)
    truth = {beta: float(np.rint((found.thresholds > beta).sum() ** 0.45)) for beta in (0.5, 2.0, 8.0)}
    fitted = calibrate(found, truth)
    assert [fitted.units(found, beta) for beta in truth] == pytest.approx(list(truth.values()))
    assert 0.4 < fitted.exponent < 0.5
    assert fitted.units(found, 61) == 0
    for wanted in (3, 5, 7):
        assert round(fitted.units(found, fitted.beta_for(found, wanted))) == wanted


@given(gamma=st.floats(0.38, 0.8), wanted=st.integers(2, 8))
def test_two_runs_reach_the_wanted_number_where_units_follow_components(gamma: float, wanted: int) -> None:
    """As a deep VAE whose γ is unknown: after one run, the second is right."""
    found = Spectrum(np.geomspace(50, 0.01, 250), 1000.0, 300, False, 1000)

    def trained(beta: float) -> float:
        return float(np.rint((1 + (found.thresholds > beta).sum()) ** gamma - 1))

    first = calibrate(found, {}).beta_for(found, wanted)
    second = calibrate(found, {first: trained(first)}).beta_for(found, wanted)
    assert abs(trained(second) - wanted) <= 1
    assert abs(trained(second) - wanted) <= abs(trained(first) - wanted)


def test_the_mean_over_seeds_counts_and_a_full_latent_space_only_as_a_lower_bound() -> None:
    found = Spectrum(np.geomspace(60, 0.05, 200), 1000.0, 300, False, 1000)

    def exponent(units: list[int], latent_dim: int) -> float:
        runs = [Measured(f"r{i}", 2.0, i, each, each, 0.0, 1.0, 1.0, ()) for i, each in enumerate(units)]
        return fit(found, runs, latent_dim, start=0.55).exponent

    assert exponent([4, 5], 20) == calibrate(found, {2.0: 4.5}).exponent
    assert exponent([2, 2], 2) == 0.55  # more would have been kept, had there been more dimensions
    assert exponent([20, 20], 20) == calibrate(found, {2.0: 20}).exponent > 0.55


def test_advice_is_a_grid_a_size_and_a_command_that_trains_them() -> None:
    advice = ll.advise("digits")
    assert advice.grid[-1] == pytest.approx(advice.thresholds[0], rel=0.05)
    assert advice.predictions[-1].active < 1
    assert advice.predictions[0].active < advice.latent_dim
    assert advice.command.startswith("latentlab sweep --data digits --out artifacts/study --beta 0.21,")
    assert "--seeds 4" in advice.command
    assert list(advice.to_frame()["beta"]) == list(advice.grid)
    assert json.loads(json.dumps(advice.to_json(), allow_nan=False))["predictions"][0]["beta"] == advice.grid[0]


def test_units_of_a_linear_network_are_components() -> None:
    advice = ll.advise("digits", network="linear", latent_dim=30)
    assert [each.active for each in advice.predictions] == pytest.approx(
        [each.components for each in advice.predictions]
    )
    assert "The network is linear" in advice.assumption


def test_a_study_is_compared_with_what_the_other_settings_make_expect() -> None:
    advice = ll.advise(
        "dsprites:grid=3x6x10x8x8", study=ll.Study(CHECKOUT / "artifacts" / "dsprites"), want=5, rows=2000
    )
    assert [each.beta for each in advice.measured] == sorted([1.0, 2.0, 4.0, 8.0, 16.0] * 3)
    assert advice.latent_dim == 10
    assert 0.35 < advice.exponent < 0.55
    assert all(abs(each.expected - each.in_use) < 2.5 for each in advice.measured)
    assert all(
        "the loss still fell" in "; ".join(each.signs) for each in advice.measured
    )  # less than one pass is short
    assert advice.beta is not None
    assert 8 < advice.beta < 16
    assert "--network burgess --steps 20000" in advice.command


def test_a_short_training_shows(tmp_path: Path) -> None:
    how = {"latent_dim": 6, "network": "shallow", "threads": 1, "log_every": 4, "workers": 1}
    short = ll.sweep("digits", tmp_path / "short", beta=[0.5], steps=200, **how)
    ll.encode(short[0])
    [measured] = ll.advise("digits", study=short).measured
    assert any(sign.startswith("the loss still fell, by") for sign in measured.signs)


def test_a_collapsed_run_has_fewer_units_than_expected() -> None:
    from latentlab.runs.measured import _fewer

    one = Measured("r", 1.0, 0, 0, 0, 4.0, 0.0, 5.0, ())
    assert _fewer(one, 4.0) == "0 units in use where 4 were expected"
    assert _fewer(replace(one, in_use=3), 4.0) == ""
    assert _fewer(one, 1.0) == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"want": 0}, "want is 0; expected at least 1"),
        ({"want": 5, "latent_dim": 4}, "want is 5, but there are 4 latent dimensions"),
        ({"want": 60}, "60 active units were wanted, but at most"),
        ({"likelihood": "negative-binomial"}, "likelihood is 'negative-binomial'; expected bernoulli"),
        ({"likelihood": "gaussian", "sigma": 0.0}, "sigma is 0.0; expected a positive number"),
    ],
)
def test_what_cannot_be_advised_is_said_in_a_line(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        ll.advise("digits", **options)
    assert len(str(error.value)) <= 200


def test_data_that_do_not_vary_have_no_spectrum() -> None:
    with pytest.raises(InputError, match="are all alike"):
        ll.advise(load(np.full((9, 4, 4), 7, np.uint8)))


def test_the_runs_of_a_study_must_be_of_one_kind(tmp_path: Path) -> None:
    how = {"network": "shallow", "threads": 1, "steps": 2, "workers": 1}
    study = ll.sweep("digits", tmp_path / "s", beta=[1], latent_dim=[2, 3], **how)
    with pytest.raises(InputError, match="differ in latent_dim: 2, 3; expected one"):
        ll.advise("digits", study=study)
    with pytest.raises(InputError, match="there is no encoded run of vae or beta-vae; encode the study"):
        ll.advise("digits", study=ll.sweep("digits", tmp_path / "t", beta=["ae"], latent_dim=2, **how))
    ll.encode(one := ll.train("digits", tmp_path / "u" / "run", latent_dim=2, network="shallow", threads=1, steps=2))
    with pytest.raises(InputError, match="images 1×16×16"):
        ll.advise("dsprites:size=16,grid=3x2x4x3x3", study=ll.Study(one.path.parent))
    with pytest.raises(InputError, match="was trained on other images than those of digits"):
        ll.advise("digits:inverted=1", study=ll.Study(one.path.parent))


def test_the_command_line_says_and_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert latentlab(["advise", "digits", "--want", "4", "-o", str(tmp_path / "a.json")]) == 0
    told = capsys.readouterr().out
    assert "All dimensions are expected to collapse above β = 3.35" in told
    assert "4 active units: β = 0.34\nlatentlab sweep --data digits" in told
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["beta"] == 0.34
    assert latentlab(["advise", "digits", "-o", str(tmp_path / "a.csv"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["latent_dim"] == 8
    assert (tmp_path / "a.csv").read_text(encoding="utf-8").startswith("beta,components,active,rate\n")
    assert latentlab(["advise", "digits", "-o", str(tmp_path / "a.txt")]) == 2
    assert "ends in .txt; expected .json" in capsys.readouterr().err


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_components_that_leave_no_variance_have_an_endless_rate_that_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    rows = np.random.default_rng(1).standard_normal((300, columns))
    table = np.column_stack([rows, np.full(300, 5.0)])
    np.savetxt(tmp_path / "t.csv", table, "%.6f", ",", comments="", header=",".join("abcd"[: columns + 1]))
    assert latentlab(["advise", str(tmp_path / "t.csv")]) == 0
    told = capsys.readouterr().out
    assert "inf: so many components are kept that they leave no variance" in told
    assert ("There is no other component." in told) == (columns == 1)
    assert ", …" not in told
    rest = Spectrum(np.ones(columns), columns * (1 + 1e-8), columns, True, 300)
    assert np.isinf(rest.rates(0.9, columns)).all()
