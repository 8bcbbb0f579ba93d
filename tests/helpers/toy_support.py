"""What ``latentlab support`` and ``latentlab likelihood`` leave behind, for the toy study and without torch."""

import numpy as np
from toy import picture, toy_codes

from latentlab.analysis.likelihood.record import Evidence, Exact, save_evidence
from latentlab.analysis.support.record import NUMBERS, SHEET, SHEETS
from latentlab.codes.decodings import Decodings, save_decodings
from latentlab.results import plain
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.system.files import write_json


def share(name: str, value: float) -> dict[str, float]:
    return {name: value, f"{name}_low": max(value - 0.02, 0), f"{name}_high": min(value + 0.02, 1)}


def write_survey(run: Run) -> None:
    """Numbers that tell the lecture's story, and pictures of the toy's codes."""
    beta, seed = run.config.beta, run.config.seed
    stochastic = beta is not None
    codes = toy_codes(beta, seed)
    cover = 0.1 if not stochastic else 0.7 / (1 + beta / 20) + 0.01 * seed
    arms = {
        "prior": {"density": 0.5} | share("precision", 0.2 + 0.6 * stochastic) | share("coverage", cover),
        "gaussian": {"density": 0.6} | share("precision", 0.7) | share("coverage", 0.6) | share("holes", 0.2),
        "aggregate": {"density": 1.1} | share("precision", 0.95) | share("coverage", 0.9) | share("holes", 0.01),
        "real": {"density": 0.95, "to_training": 0.5} | share("precision", 0.93) | share("coverage", 0.94),
        "constant": {"density": 0.6} | share("precision", 1.0) | share("coverage", 0.001),
    }
    for arm in ("prior", "gaussian", "aggregate"):
        arms[arm]["to_training"] = 0.4
    if stochastic:
        arms["prior"] |= share("holes", 0.05)
    widths = np.sqrt(codes.variance[:, 0]) if stochastic else None
    found = {
        "format": 1,
        "inputs": {"draws": 500},
        "information": {"latent_dim": 4, "rate": 9.0 if stochastic else None, "probe": 0.8, "chance": 0.1, "knn": 0.8},
        "arms": arms,
        "between": {"detour": 1.5, "jump": 1.3, "distinctions": 20.0, "widths": 15.0 if stochastic else None},
        "fit": {"mmd": 0.01, "mmd_null": 0.001, "gaussian_tc": 0.1, "gaussian_kl": 0.2} if stochastic else None,
        "memory": {"train": -90.0, "test": -91.5, "gap": 1.5, "gap_low": 1.0, "gap_high": 2.0},
        "widths": {"median": 0.2, "low": 0.1, "high": 0.4} if stochastic else None,
        "undefined": {} if stochastic else {"widths": "a deterministic encoder has no posterior"},
    }
    found["information"]["active_units"] = 3 if stochastic else None
    found["between"]["gradient"] = 1.3 if stochastic else None
    write_json(run.path / NUMBERS, plain(found))
    rows = np.arange(SHEET) * 7
    images = np.stack([picture(code) for code in codes.mean[rows]])
    part = lambda **settings: Decodings((images * 0.8).astype(np.uint8), codes.mean[rows], images, settings)  # noqa: E731
    sheet = {f"samples-{arm}": part(source=arm, nearest=rows.tolist()) for arm in ("prior", "gaussian", "aggregate")}
    if widths is not None:
        shown = np.linspace(0.1, 0.4, SHEET).round(3)
        sheet |= {"narrowest": part(rows=rows.tolist(), width=shown.tolist())}
        sheet |= {"widest": part(rows=rows.tolist(), width=shown[::-1].tolist())}
    ways = np.repeat(images[:6, None], 9, axis=1)
    sheet["ways"] = Decodings(ways, np.zeros((6, 9, 4), np.float32), None, {"rows": []})
    save_decodings(run.path / SHEETS, sheet, {})


def write_evidence(run: Run, rows: int = 8, shown: int = 4) -> Evidence:
    """Evidence of a run with two latent dimensions: posteriors that q meets in their middle and half in their width."""
    rng = np.random.default_rng(0)
    mean, variance = rng.normal(size=(shown, 2)), np.full((shown, 2), 0.04)
    ticks = np.linspace(-1, 1, 21)
    axes = mean[:, :, None] + ticks
    away = (ticks[None, :] / 0.4) ** 2 + (ticks[:, None] / 0.4) ** 2
    density = np.tile(np.exp(-0.5 * away) / (2 * np.pi * 0.16), (shown, 1, 1))
    elbo, gap = -90 + rng.normal(size=rows), rng.uniform(1, 3, rows)
    exact = Exact(
        np.arange(rows), elbo + gap, elbo, gap, np.full(rows, 1e-5), elbo + gap - 0.1, axes, density, mean, variance
    )
    one = np.ones(rows)
    counts, bounds = np.array([1, 10]), np.array([elbo.mean(), elbo.mean() + 1])
    settings = {"samples": 10, "label": "β = 1"}
    found = Evidence(
        np.arange(rows), elbo, elbo + gap - 0.1, 4 * one, counts, bounds, 9 * one, 10 * one, exact, settings
    )
    save_evidence(run.path / "likelihood.h5", found, {})
    return found


def write_surveys(study: Study) -> None:
    """The whole toy study surveyed."""
    for run in study:
        write_survey(run)
