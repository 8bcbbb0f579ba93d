"""A small study on disk, made from known codes without torch: what a tool that reads studies can be tried on.

β ∈ {AE, 1, 4, 16}, two seeds each, four latent dimensions: z0 follows x, z1 follows y, z2 the shape, z3 is noise that
no VAE uses. As β grows, z2 falls out of use as well.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from latentlab.analysis.debias.measure import commonness
from latentlab.analysis.explain.record import Effects, save_effects
from latentlab.analysis.intervene.ablate import Ablation
from latentlab.analysis.intervene.estimate import Estimate
from latentlab.analysis.intervene.measure import Intervention
from latentlab.analysis.intervene.record import Interventions, save_interventions
from latentlab.analysis.leakage.record import save_leakage
from latentlab.analysis.names.measure import Verdict
from latentlab.analysis.names.record import Names, save_names
from latentlab.analysis.outliers.measure import detect
from latentlab.analysis.probe.measure import few_label_curve
from latentlab.analysis.score.stage import write_scores
from latentlab.codes.codes import Codes
from latentlab.codes.decodings import Decodings, save_decodings
from latentlab.codes.h5ad import save_codes
from latentlab.codes.projections import project, save_projections
from latentlab.data.dataset import Factor
from latentlab.results import Score
from latentlab.runs.config import RunConfig
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.runs.weights import model_hash
from latentlab.system.files import sha256, write_json

SPECS = (
    Factor("shape", "categorical", ("square", "ellipse", "heart")),
    Factor("x", "ordinal", tuple(np.linspace(0, 1, 8).tolist())),
    Factor("y", "ordinal", tuple(np.linspace(0, 1, 8).tolist())),
    Factor("angle", "circular", tuple((np.arange(4) * np.pi / 2).tolist())),
)
GRID = (3, 8, 8, 4)
SIZE = 16
STEPS = 7
D = 4


def toy_codes(beta: float | None, seed: int) -> Codes:
    """Codes of the full grid (768 rows): a stronger β widens posteriors and empties dimensions."""
    rng = np.random.default_rng(seed)
    factors = np.indices(GRID).reshape(4, -1).T.astype(np.float64)
    truth = np.column_stack([factors[:, 1], factors[:, 2], factors[:, 0], rng.normal(size=len(factors))])
    truth = (truth - truth.mean(axis=0)) / truth.std(axis=0)
    used = np.array([1, 1, 0.0 if (beta or 0) > 8 else 0.8, 0.02 if beta is not None else 0.6])
    mean = (truth * used + rng.normal(size=truth.shape) * 0.02 * (used > 0)).astype(np.float32)
    distortion = 40 + 3 * (beta or 0) ** 0.5 + rng.normal(size=len(factors)) + seed
    distortion[::3] = np.nan
    if beta is None:
        return Codes(mean * 7, None, factors, SPECS, None, None, distortion.astype("f4"), GRID, {"inputs": {}})
    variance = np.where(used > 0.1, 0.01 * beta, 0.98) * np.ones_like(mean)
    return Codes(mean, variance.astype("f4"), factors, SPECS, None, None, distortion.astype("f4"), GRID, {"inputs": {}})


def picture(code: np.ndarray) -> np.ndarray:
    """A bright square (1, 16, 16) uint8 whose place and size follow the code."""
    image = np.zeros((1, SIZE, SIZE), np.uint8)
    x, y = (int(np.clip(8 + 2 * value, 3, 12)) for value in code[:2])
    half = int(np.clip(2 + code[2], 1, 4))
    image[0, y - half : y + half, x - half : x + half] = 255
    return image


class ToyModel:
    """What figures that decode anew are given: `picture` in the place of a decoder."""

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Images (…, 1, 16, 16) of codes (…, 4)."""
        flat = np.stack([picture(code) for code in codes.reshape(-1, codes.shape[-1])])
        return flat.reshape(*codes.shape[:-1], 1, SIZE, SIZE)


def toy_traversals(codes: Codes, over: str) -> Decodings:
    """Every dimension from −2 to 2, or from its 2.5 % to its 97.5 % quantile, around row 100."""
    anchor = codes.mean[100]
    grid = np.tile(anchor, (D, STEPS, 1)).astype("f4")
    ends = (-2 * np.ones(D), 2 * np.ones(D)) if over == "prior" else np.quantile(codes.mean, (0.025, 0.975), axis=0)
    grid[np.arange(D), :, np.arange(D)] = np.linspace(*ends, STEPS).T
    images = np.stack([[picture(code) for code in row] for row in grid])
    settings = {"kind": "traversal", "range": over, "anchor_position": 100, "anchor_row": int(codes.row_ids[100])}
    return Decodings(images, grid, picture(anchor)[None], settings)


def toy_score(codes: Codes, beta: float | None, seed: int) -> dict[str, Score]:
    """Scores that a study would have; the matrix is true mutual information in nats."""
    from latentlab.metrics._information import information

    value = 0.2 + 0.02 * (beta or 0) + 0.03 * seed
    found = information(codes.mean, codes.factors, 20)
    names = [spec.name for spec in SPECS]
    per_factor = dict(zip(names, found.mutual.max(axis=0).tolist(), strict=True))
    mig = Score(value, {}, per_factor, found.mutual, (value - 0.03, value + 0.03), {"rotated": 0.1, "permuted": 0.01})
    dci = Score(value + 0.1, {"disentanglement": value + 0.1, "completeness": 0.5, "informativeness": 0.9})
    return {"mig": mig, "dci": dci}


def toy_leakage(codes: Codes) -> Score:
    """What measuring leakage would keep: a dimension changes each factor as far as it knows it."""
    from latentlab.metrics._information import information

    found = information(codes.mean, codes.factors, 20)
    matrix, names = found.mutual / found.factor, [spec.name for spec in SPECS]
    settings = {"factors": names, "least_change": dict.fromkeys(names, 0.2), "left_out": {}, "r2": {}}
    value, known = float((np.sort(matrix)[:2, -2] / matrix[:2].max(axis=1)).mean()), {"defined": 2, "of": D}
    return Score(value, known, {}, matrix, (value - 0.02, value + 0.02), settings=settings)


def toy_interventions(codes: Codes) -> Interventions:
    """What swaps of a study's codes would tell: z0 carries x, two directions y, and the shape is entangled."""
    some, whole, turned = Estimate(0.8, 0.7, 0.9), Estimate(0.9, 0.8, 1.0), np.eye(2, codes.latent_dim, 1)
    rows = tuple(map(tuple, turned.tolist()))
    factors = (
        Intervention("shape", "entangled", whole),
        Intervention("x", "dimensions", whole, (0,), cause=some, isolation=whole, into="y"),
        Intervention("y", "subspace", whole, (), rows, rows, cause=some, isolation=some, into="x"),
        Intervention("angle", "absent", Estimate(0.0, -0.1, 0.1)),
    )
    falls = {each.factor: Estimate(0.1, 0.0, 0.2) for each in factors}
    costs = tuple(Ablation(j, some, falls) for j in range(codes.latent_dim))
    causes = tuple((0.1, 0.8, 0.2, 0.0) for _ in costs)
    settings = {"pairs": 16, "left_out": {}, "ablated_to": "0, the mean of the prior"}
    return Interventions(factors, costs, causes, (0.3, 0.5, 0.0, 0.0), (2, 0, 1, 3), settings)


def write_run(path: Path, beta: float | None, seed: int, *, analysed: bool = True, **changes: Any) -> Run:
    """One finished toy run in the folder `path`, analysed or only trained."""
    objective = {"name": "ae"} if beta is None else {"name": "beta-vae", "beta": beta}
    content = {
        "data": "toy",
        "rows": 768,
        "image_shape": (1, SIZE, SIZE),
        "network": "mlp",
        "latent_dim": D,
        "objective": objective,
        "stochastic": beta is not None,
        "steps": 100,
        "learning_rate": 1e-3,
        "seed": seed,
        **changes,
    }
    path.mkdir(parents=True)
    write_json(path / "config.json", RunConfig(**content).model_dump(mode="json"))
    weights = np.full(3, seed + (beta or 0), np.float32)
    save_file({"w": weights}, path / "model.safetensors", metadata={"step": "100"})
    lines = [{"step": s, "distortion": 60 - s / 10, "rate": [1.0] * D, "loss": 61 - s / 10} for s in (50, 100)]
    (path / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    run = Run(path)
    if analysed:
        analyse(run, toy_codes(beta, seed), beta, seed)
    return run


def analyse(run: Run, codes: Codes, beta: float | None, seed: int) -> None:
    """Write what the analysis of a run leaves behind."""
    model = model_hash(run)
    save_codes(run.codes_path, replace(codes, provenance={"inputs": {"model": model}}))
    inputs = {"model": model, "codes": sha256(run.codes_path)}
    ranges = ("prior", "aggregate") if codes.variance is not None else ("aggregate",)
    parts = {f"traversals-{over}": toy_traversals(codes, over) for over in ranges}
    rows = np.arange(0, 640, 20)
    originals = np.stack([picture(code) for code in toy_codes(1.0, 0).mean[rows]])
    images = (originals * 0.8).astype(np.uint8)
    settings = {"kind": "reconstruction", "rows": codes.row_ids[rows].tolist()}
    parts["reconstructions"] = Decodings(images, codes.mean[rows], originals, settings)
    save_decodings(run.decodings_path, parts, inputs)
    save_projections(run.projections_path, {"pca": project(codes, "pca", rows=500)}, inputs)
    examine(run, codes, parts["reconstructions"])
    if codes.factors is not None:
        write_scores(run, toy_score(codes, beta, seed), {}, inputs)
        save_leakage(run, toy_leakage(codes), inputs)
        save_interventions(run, toy_interventions(codes), inputs)


def examine(run: Run, codes: Codes, rows: Decodings) -> None:
    """Write what debias, outliers, probe and explain leave behind."""
    rng, d = np.random.default_rng(0), codes.latent_dim
    weights = commonness(codes).weights[:24]
    told = {"rows": list(range(24)), "weights": weights.tolist(), "classes": ["square"] * 24}
    summary = {"dimensions": ["z0"], "of_dimensions": d, "combine": "product", "rows": len(codes), "effective": 99.0}
    extremes = Decodings(rows.images[:24], rows.codes[:24], rows.originals[:24], {**told, "summary": summary})
    save_decodings(run.path / "debiasing.h5", {"rarest": extremes, "commonest": extremes}, {})
    own, foreign = ({name: rng.random(200) + k for name in ("−ELBO", "intensity")} for k in (0.0, 0.4))
    entry = {
        "own": "toy",
        "against": "other",
        "own_rows_were_trained_on": True,
        "best_baseline": ["intensity", 0.8],
        "scores": {name: each.to_json() for name, each in detect(own, foreign, draws=20).items()},
    }
    write_json(run.path / "outliers.json", {"format": 1, "entries": {"toy against other": entry}})
    maps = np.stack([np.outer(row, row) for row in rng.random((d, SIZE))]).astype("f4")
    settings = {"rows": [0, 1], "steps": 5}
    straight = np.where(np.arange(d)[:, None] < d - 1, rng.random((d, 2)), np.nan)
    save_effects(run.path / "effects.h5", Effects(maps, rng.random(d), maps * 2, straight, settings), {})
    verdicts = (Verdict(name="size", detection=0.7, why="AUROC 0.70, and 0.8 is needed"),) * d
    save_names(run, Names(verdicts, {"rows": len(codes)}), {})
    if codes.factors is not None:
        curve = few_label_curve(codes, factor=SPECS[0].name, sizes=(1, 10), draws=2)
        write_json(run.path / "probes.json", {"format": 1, "curves": {"linear": curve.to_json()}})


def write_study(path: Path) -> Study:
    """The whole toy study: AE and β ∈ {1, 4, 16}, seeds 0 and 1."""
    for beta in (None, 1.0, 4.0, 16.0):
        for seed in (0, 1):
            write_run(path / f"{'ae' if beta is None else f'beta-{beta:g}'}-seed-{seed}", beta, seed)
    return Study(path)
