"""Does weighing rare rows up help them? Lopsided data, before and after, beside oracle and shuffled weights.

    python benchmarks/debiasing.py mnist ../shared/data/mnist     one digit at 6 % of its rows, 14×14
    python benchmarks/debiasing.py shape                          dSprites' heart at 2 % of its rows
    python benchmarks/debiasing.py position                       one corner of dSprites' positions at 10 %

Each arm is trained from the same seeds on the same rows: without weights (*before*), by the weights that `latentlab
debias` makes of that first run (*paper*: smoothing 0.01, its default; *mild*: 0.1), by weights that know the groups
(*oracle*), and by the mild weights *shuffled* over the rows. Held-out rows, as many rare ones as of each other group,
are judged by their distortion and by a linear probe on their codes. Writes OUT/NAME.json; what is there already is not
trained again.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from latentlab.analysis.debias.measure import SMOOTHING, commonness, effective_size
from latentlab.analysis.probe.measure import recalls
from latentlab.codes.codes import Codes
from latentlab.data import Dataset, load
from latentlab.metrics._estimators import logistic, z_scored
from latentlab.models import load_model
from latentlab.models.encoding import judge
from latentlab.training.train import train

GRID = (3, 3, 8, 16, 16)
CORNER = 4
DIGIT = 5
MILD = 0.1  # smoothing: a bin's share where ten are filled alike
ARMS = ("before", "mild", "oracle", "shuffled", "paper")
ROWS = 12_000


def split(groups: np.ndarray, rare: np.ndarray, keep: float, held: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on, where `keep` of the rare ones stay, and held-out rows, `held` of each group."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(groups))
    test = np.concatenate([order[groups[order] == g][:held] for g in np.unique(groups)])
    rest = order[~np.isin(order, test)]
    scarce = rest[rare[rest]]
    return np.sort(np.r_[rest[~rare[rest]], scarce[: max(1, round(keep * len(scarce)))]]), np.sort(test)


def halved(data: Dataset) -> Dataset:
    """Images of half the size, the mean of four pixels each: a quarter of the work, and digits still."""
    n, c, h, w = data.shape
    images = data[:].reshape(n, c, h // 2, 2, w // 2, 2).mean(axis=(3, 5)).round().astype(np.uint8)
    source = {**data.source, "halved": True}
    return replace(data, shape=images.shape, read=images.__getitem__, source=source, name="mnist-14", spec="")


def lopsided(kind: str, path: str | None) -> tuple[Dataset, np.ndarray, int, np.ndarray, np.ndarray]:
    """The data, the group of each row, which group is rare, the rows to train on and those held out."""
    if kind == "mnist":
        data = halved(load(path).split("train").take(slice(0, ROWS)))
        groups = data.labels
        train_rows, test = split(groups, groups == DIGIT, 0.06, 200)
        return data, groups, DIGIT, train_rows, test
    data = load("dsprites", size=16, grid=GRID)
    if kind == "shape":
        groups = data.factors[:, 0].astype(np.int64)
        return data, groups, 2, *split(groups, groups == 2, 0.02, 1000)
    groups = ((data.factors[:, 3] < CORNER) & (data.factors[:, 4] < CORNER)).astype(np.int64)
    return data, groups, 1, *split(groups, groups == 1, 0.1, 400)


def measure(run, data: Dataset, groups: np.ndarray, rare: int, test: np.ndarray) -> dict[str, float]:
    """Distortion in nats of rare and of other held-out rows, and what a probe of the groups recalls."""
    codes = judge(load_model(run), data.take(test), workers=1)
    of_row = groups[test]
    half = np.random.default_rng(0).permutation(len(test)) % 2 == 0
    z, tz = z_scored(codes.mean[half], codes.mean[~half])
    found = recalls(logistic(z, of_row[half]).predict(tz), of_row[~half])
    return {
        "rare_distortion": float(codes.distortion[of_row == rare].mean()),
        "other_distortion": float(codes.distortion[of_row != rare].mean()),
        "rare_recall": found[rare],
        "other_recall": float(np.mean([value for group, value in found.items() if group != rare])),
    }


def interval(values: list[float]) -> tuple[float, float]:
    """95 % for the mean over seeds, by Student's t."""
    from scipy.stats import t

    half = t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return float(np.mean(values) - half), float(np.mean(values) + half)


def main() -> None:
    """Train the arms over the seeds and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("mnist", "shape", "position"))
    parser.add_argument("data", nargs="?")
    parser.add_argument("--out", type=Path, default=Path("artifacts/findings/debiasing"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1200)
    given = parser.parse_args()
    data, groups, rare, rows, test = lopsided(given.kind, given.data)
    part, own = data.take(rows, name=f"{given.kind}-lopsided"), groups[rows]
    options: dict = {"latent_dim": 10, "steps": given.steps, "settings": {"beta": 1.0}, "threads": 1}
    options["checkpoint_every"] = 10**6
    found: list[dict] = []
    for arm in ARMS:
        for seed in range(given.seeds):
            place = given.out / given.kind / f"seed{seed}"
            before = train(part, place / "before", seed=seed, resume=True, **options)
            codes = judge(load_model(before), part, distortion=False, workers=1)
            weight = weights(arm, codes, own, seed)
            by_id = np.zeros(len(data))
            by_id[part.row_ids] = weight
            extra = {} if arm == "before" else {"weights": by_id}
            run = train(part, place / arm, seed=seed, resume=True, **options, **extra)
            share = float(weight[own == rare].sum() / weight.sum())
            line = {"arm": arm, "seed": seed, "rare_share": share, "effective": effective_size(weight)}
            found.append(line | measure(run, data, groups, rare, test))
            print(json.dumps(found[-1]), flush=True)
        counts = {"rows": len(rows), "rare_rows": int((own == rare).sum()), "test": len(test)}
        answer = {**counts, "arms": summary(found), "runs": found}
        (given.out / f"{given.kind}.json").write_text(json.dumps(answer, indent=1) + "\n")
    print(json.dumps(answer["arms"], indent=1))


def weights(arm: str, codes: Codes, groups: np.ndarray, seed: int) -> np.ndarray:
    """The weight of each training row (n,) in that arm."""
    if arm == "before":
        return np.ones(len(groups))
    if arm == "oracle":
        return 1 / np.bincount(groups)[groups]
    found = commonness(codes, smoothing=SMOOTHING if arm == "paper" else MILD).weights
    return np.random.default_rng(seed).permutation(found) if arm == "shuffled" else found


def summary(found: list[dict]) -> dict[str, dict]:
    """Of each arm the means over seeds, and how they changed from before, with intervals."""
    base = {line["seed"]: line for line in found if line["arm"] == "before"}
    arms = {}
    for arm in dict.fromkeys(line["arm"] for line in found):
        mine = [line for line in found if line["arm"] == arm]
        arms[arm] = {key: float(np.mean([line[key] for line in mine])) for key in list(mine[0])[2:]}
        for key in ("rare_distortion", "other_distortion", "rare_recall"):
            change = [line[key] - base[line["seed"]][key] for line in mine]
            arms[arm][f"{key}_change"] = [float(np.mean(change)), *interval(change)]
    return arms


if __name__ == "__main__":
    main()
