"""Spectra of three known parameters: which dimension follows which, and whether traversals are spectra like them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from latentlab.analysis.encode.stage import encode
from latentlab.analysis.traverse.stage import decode_run
from latentlab.codes.codes import Codes
from latentlab.data import Dataset, Factor, Form
from latentlab.runs.run import Run
from latentlab.training.train import train

AXIS = np.linspace(1100, 2500, 96)
NAMES = ("water", "protein", "baseline")
SPREADS = np.array([1.0, 0.5, 0.25])  # of the parameters: their sizes differ, so that a VAE can tell them apart
NOISE = 0.02
Floats = NDArray[np.float64]


def simulator(parameters: Floats) -> Floats:
    """Absorbance (n, 96) of parameters (n, 3): two bands, and a baseline that rises with the wavelength."""
    bands = [np.exp(-0.5 * ((AXIS - at) / 60) ** 2) for at in (1450, 2100)]
    shapes = np.stack([*bands, (AXIS - AXIS.mean()) / np.ptp(AXIS)])
    return 1.0 + parameters @ shapes


@pytest.fixture(scope="module")
def spectra() -> Dataset:
    rng = np.random.default_rng(0)
    parameters = rng.normal(size=(1000, 3)) * SPREADS
    x = (simulator(parameters) + NOISE * rng.normal(size=(1000, 96)))[:, None]
    form = Form("signal", (1, 96), "float64", axis=tuple(AXIS), axis_unit="nm", unit="absorbance")
    specs = tuple(Factor(name, "continuous") for name in NAMES)
    return Dataset("spectra", x.shape, lambda rows: x[rows], factors=parameters, specs=specs, form=form)


@pytest.fixture(scope="module")
def run(spectra: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    options = {"latent_dim": 5, "beta": 2.0, "steps": 800, "network": "mlp", "threads": 1, "seed": 0}
    made = train(spectra, tmp_path_factory.mktemp("spectra") / "run", **options)
    encode(made, spectra)
    decode_run(made, spectra)
    return made


def followed(codes: Codes) -> Floats:
    """|Correlation| (dimensions, parameters) of codes and parameters."""
    assert codes.factors is not None
    both = np.corrcoef(codes.mean.T, codes.factors.T)
    return np.abs(both[: codes.latent_dim, codes.latent_dim :])


def test_each_parameter_has_a_dimension_of_its_own_and_the_others_are_inactive(run: Run) -> None:
    codes = run.codes()
    found = followed(codes)
    assert sorted(found.argmax(axis=0).tolist()) == np.flatnonzero(codes.active).tolist()
    assert (found.max(axis=0) > 0.95).all()


def test_traversals_are_spectra_of_the_simulator_within_the_noise(run: Run, spectra: Dataset) -> None:
    """Each decoded curve is compared with the simulator's at the parameters that fit it best, by least squares."""
    part, active = run.decodings()["traversals-aggregate"], run.codes().active
    curves = part.images[active][:, :, 0].astype(np.float64).reshape(-1, 96)
    shapes = simulator(np.eye(3)) - simulator(np.zeros((1, 3)))
    fitted = np.linalg.lstsq(shapes.T, (curves - 1).T, rcond=None)[0].T
    rms = np.sqrt(((curves - simulator(fitted)) ** 2).mean(axis=1))
    assert np.median(rms) < NOISE
    assert rms.max() < 2 * NOISE
    moved = np.abs(fitted.reshape(int(active.sum()), -1, 3)[:, [0, -1]]).max(axis=1) / SPREADS
    assert sorted(moved.argmax(axis=1).tolist()) == [0, 1, 2], "each dimension moves another parameter"
