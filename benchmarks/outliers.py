"""Telling foreign images from one's own, in both directions, over seeds: MNIST against notMNIST and Omniglot.

    python benchmarks/outliers.py ../shared/data artifacts/findings/mnist

Reads every run of the MNIST study, and trains β = 1 runs of either foreign set on four fifths of it (MLP, 28×28,
Omniglot resized and turned light on dark) to judge the other way round. Every entry is also kept in its run's
``outliers.json``. Writes OUT/outliers.json: AUROC by score, setting and direction, the mean over seeds and their range;
prints it as the tables of docs/findings-detection-debiasing.md.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from latentlab.analysis.outliers.measure import BASELINES
from latentlab.analysis.outliers.stage import outliers
from latentlab.data import Dataset, load
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.training.train import train

ROWS = 5000
FOREIGN = {"notmnist": "notmnist", "omniglot": "omniglot_small1.zip:size=28,inverted=1"}


def main() -> None:
    """Judge every pair and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("mnist", type=Path)
    parser.add_argument("--out", type=Path, default=Path("artifacts/findings/outliers"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2500)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    digits = load(given.data / "mnist").split("test")
    own = {name: held_out(load(f"{given.data}/{spec}"), given.out / name) for name, spec in FOREIGN.items()}
    found: list[dict] = []

    def judge(run: Run, trained_on: str, against: str, foreign: Dataset, mine: Dataset) -> None:
        entry = outliers(run, against=foreign, data=mine, rows=ROWS)
        head = {"trained_on": trained_on, "against": against, "setting": run.config.label, "seed": run.config.seed}
        found.append(head | entry)
        print(f"{run.name} against {against}: {entry['scores']['distortion']['auroc']:.3f}", flush=True)

    for name in FOREIGN:
        for run in Study(given.mnist):
            if run.state == "finished":
                judge(run, "mnist", name, own[name]["test"], digits)
    for name in FOREIGN:
        for seed in range(given.seeds):
            settings = {"settings": {"beta": 1.0}, "seed": seed, "steps": given.steps, "threads": 1}
            run = train(own[name]["train"], given.out / f"{name}-beta1-seed{seed}", resume=True, **settings)
            judge(run, name, "mnist", digits, own[name]["test"])
    (given.out / "outliers.json").write_text(json.dumps({"summary": summary(found), "entries": found}, indent=1) + "\n")
    print("\n".join(tables(summary(found))))


def held_out(data: Dataset, path: Path) -> dict[str, Dataset]:
    """Four fifths to train on and a fifth held out, each as a file of its own beside `path`."""
    order, cut = np.random.default_rng(0).permutation(len(data)), len(data) * 4 // 5
    for part, rows in (("train", np.sort(order[:cut])), ("test", np.sort(order[cut:]))):
        np.savez(path.with_name(f"{path.name}-{part}.npz"), images=data[rows], labels=data.labels[rows])
    return {part: load(path.with_name(f"{path.name}-{part}.npz")) for part in ("train", "test")}


def summary(found: list[dict]) -> list[dict]:
    """One line a direction and setting: each score's AUROC, the mean over seeds and the range of their intervals."""
    lines = []
    keys = dict.fromkeys((each["trained_on"], each["against"], each["setting"]) for each in found)
    for trained_on, against, setting in keys:
        mine = [e for e in found if (e["trained_on"], e["against"], e["setting"]) == (trained_on, against, setting)]
        line = {"trained_on": trained_on, "against": against, "setting": setting, "seeds": len(mine)}
        for name in mine[0]["scores"]:
            each = [entry["scores"][name] for entry in mine]
            line[name] = {key: _mean([one[key] for one in each]) for key in ("auroc", "auprc", "matched")}
            ends = np.array([one["auroc_interval"] for one in each])
            line[name] |= {"low": float(ends[:, 0].min()), "high": float(ends[:, 1].max()), "pairs": each[0]["pairs"]}
            black = [entry["constant_images"]["black"][name] for entry in mine]
            line[name]["black"] = _mean(black)
        line["beyond_baselines"] = sorted(set.intersection(*(set(entry["beyond_baselines"]) for entry in mine)))
        line["best_baseline"] = mine[0]["best_baseline"]
        lines.append(line)
    return lines


def tables(lines: list[dict]) -> Iterator[str]:
    """A table a direction: AUROC of each score and setting; at equal brightness and of a black image for β = 1."""
    for trained_on, against in dict.fromkeys((line["trained_on"], line["against"]) for line in lines):
        mine = {e["setting"]: e for e in lines if (e["trained_on"], e["against"]) == (trained_on, against)}
        one = mine["β = 1"]
        yield f"\n**Trained on {trained_on}, foreign: {against}** ({one['distortion']['pairs']} pairs)\n"
        yield f"| score | {' | '.join(mine)} | equal, β = 1 | black, β = 1 |\n|---|{'---|' * (len(mine) + 2)}"
        for name in one:
            if isinstance(one[name], dict):
                cells = [_cell(each.get(name)) for each in mine.values()]
                if name in BASELINES:  # no model: the same for every setting
                    cells = [cells[0], *[""] * (len(mine) - 1)]
                yield f"| {name} | {' | '.join(cells)} | {one[name]['matched']:.3f} | {one[name]['black']:.3f} |"
        for setting, each in mine.items():
            best, value = each["best_baseline"]
            yield f"\n{setting}: surely beyond {best} ({value:.4f}): {', '.join(each['beyond_baselines']) or 'none'}"


def _cell(found: dict | None) -> str:
    return "–" if found is None else f"{found['auroc']:.3f} ({found['low']:.3f} to {found['high']:.3f})"


def _mean(values: list[float | None]) -> float | None:
    return None if None in values else float(np.mean(values))


if __name__ == "__main__":
    main()
