"""What a study of β came to, a row per setting, as Markdown: the promises of the lectures beside what came out.

    latentlab sweep artifacts/flagship.toml --out STUDY
    latentlab analyze STUDY
    latentlab leakage STUDY
    python benchmarks/flagship.py STUDY

Only finished runs count. Mean over seeds, in brackets the lowest and the highest.

- *gain*: how far the bound still rose before the learning rate fell (`latentlab.runs.convergence`), and how many of the
  runs were flat.
- *owned*: factors with a dimension of their own. It knows more of the factor than any other dimension does, by a fifth
  of the factor's entropy, and of no other factor as much.
- *named*: dimensions whose name is earned (`latentlab explain`).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.analysis.leakage.record import load_leakage
from latentlab.codes.dimensions import knowledge
from latentlab.errors import LatentlabError
from latentlab.runs.comparison import compare
from latentlab.runs.convergence import rest
from latentlab.runs.run import Run
from latentlab.runs.study import Study

GAP = 0.2
COLUMNS = {
    "rate": ("rate, nats", 2),
    "active_units": ("active units", 1),
    "distortion": ("distortion, nats", 1),
    "gain": ("gain, nats", 2),
    "flat": ("flat", 2),
    "mig": ("MIG", 3),
    "dci": ("DCI D", 3),
    "owned": ("owned", 1),
    "named": ("named", 1),
    "leakage": ("leakage", 2),
}


def owned(information: NDArray[np.floating]) -> list[int]:
    """The factors with a dimension of their own, given the share of each factor's entropy that each knows (d, k)."""
    first = information.argmax(axis=0)
    second = np.sort(information, axis=0)[-2]
    factors = range(information.shape[1])
    return [k for k in factors if information[first[k], k] - second[k] >= GAP and information[first[k]].argmax() == k]


def measured(run: Run) -> dict[str, float]:
    """What `compare` does not say of a run: whether it was trained to the end, its owned factors, its leakage."""
    found = rest(run)
    values = {"gain": found.gain, "flat": float(found.flat)}
    if run.has("encode"):
        values["owned"] = float(len(owned(knowledge(run.codes()).normalised)))
    if (run.path / "leakage.json").is_file():
        values["leakage"] = float(load_leakage(run).value)
    if run.has("names"):
        values["named"] = float(len(run.read("names").earned))
    return values


def spread(values: Sequence[float], digits: int) -> str:
    """Mean and range over seeds."""
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return "–"
    ends = f" ({min(known):.{digits}f} … {max(known):.{digits}f})" if len(known) > 1 else ""
    return f"{np.mean(known):.{digits}f}{ends}".replace("-", "−")


def lines(study: Study) -> Iterator[str]:
    """The table, a row per setting."""
    runs = [run for run in study if run.state == "finished"]
    if not runs:
        raise LatentlabError(f"{study.path} has no finished run yet; go on with latentlab sweep")
    table = compare(runs)
    more = {run.name: measured(run) for run in runs}
    rows: list[Mapping[str, Any]] = [{**row, **more[row["run"]]} for row in table.to_dict("records")]
    yield f"| setting | seeds | {' | '.join(name for name, _ in COLUMNS.values())} |"
    yield "|---|---|" + "---|" * len(COLUMNS)
    for setting in dict.fromkeys(row["setting"] for row in rows):
        group = [row for row in rows if row["setting"] == setting]
        cells = [spread([row.get(key, math.nan) for row in group], digits) for key, (_, digits) in COLUMNS.items()]
        yield f"| {setting} | {len(group)} | {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    print("\n".join(lines(Study(parser.parse_args().study))))


if __name__ == "__main__":
    main()
