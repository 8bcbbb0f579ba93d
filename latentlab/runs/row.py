"""What the files of one run say of it: its row in the table of runs, and its flags."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from latentlab.errors import InputError, MissingError, attempt
from latentlab.results import Score, version_of
from latentlab.runs.identity import LABELLED, is_foreign
from latentlab.runs.run import Run
from latentlab.runs.summary import summary_of
from latentlab.runs.weights import model_hash
from latentlab.system.files import sha256
from latentlab.system.registry import load, names
from latentlab.system.stamps import Stamp, stamps

COSTS = ("distortion", "rate", "elbo", "active_units")
HEAD = ("run", "setting", "label", "objective", "beta", "normalised_beta", "seed", "latent_dim", "state", "steps")
ROWS = ("rows", "of_rows", "judged_rows")
TAIL = ("data", "fingerprint", "scale", "flags", "error", "path")
DENSITIES = ("gaussian", "gaussian-learned", "gaussian-sigmoid", "laplace-sigmoid")
_ROWS: dict[Path, tuple[tuple[Stamp, ...], dict[str, Any]]] = {}  # of each run, as its files then were


def row_of(run: Run) -> dict[str, Any]:
    """What the files of a run say of it, read once within a process while they stay as they are and can all be read."""
    found = stamps(run.path)
    if found is not None and run.path in _ROWS and _ROWS[run.path][0] == found:
        return _ROWS[run.path][1]
    row = _read(run)
    if found is not None and not row["error"]:
        _ROWS[run.path] = found, row
    return row


def _read(run: Run) -> dict[str, Any]:
    config, errors = run.config, []
    row: dict[str, Any] = {
        "run": run.name,
        "label": config.label,
        "objective": config.objective["name"],
        "beta": config.beta,
        "normalised_beta": normalised_beta(run),
        "seed": config.seed,
        "latent_dim": config.latent_dim,
        "path": str(run.path),
    }
    flags: list[str] = []
    for part in (_training, _costs, _scores):
        try:
            values, told = part(run)
        except InputError as error:
            errors.append(str(error))
        else:
            row |= values
            flags += told
    return row | {"flags": ", ".join(flags), "error": "; ".join(dict.fromkeys(errors))}


def normalised_beta(run: Run) -> float:
    """β·d/D for d latent dimensions and D pixels times channels; NaN for an objective without β."""
    beta = run.config.beta
    return math.nan if beta is None else beta * run.config.latent_dim / math.prod(run.config.form.shape)


def _training(run: Run) -> tuple[dict[str, Any], list[str]]:
    state = run.state
    flags = [] if run.config.has_model else ["no model"]
    flags += [state] if state != "finished" else []
    files = [run.path / name for name in LABELLED if (run.path / name).is_file()]
    # A training state that cannot be read changes no number here; `doctor` names it.
    flags += ["mixed files"] if any(attempt(partial(is_foreign, path), False)[0] for path in files) else []
    return {"state": state, "steps": run.step}, flags


def _costs(run: Run) -> tuple[dict[str, Any], list[str]]:
    if not run.has("encode"):
        return {}, ["not encoded"]
    found = summary_of(run)
    active = found.active_units
    flags = ["collapsed"] if active == 0 else []
    if _differs(found.inputs.get("model"), lambda: model_hash(run)):
        flags.append("stale codes")
    if not found.factors:
        flags.append("labels only" if found.labels else "no factors")
    elbo = -(found.distortion + found.rate)
    values = {key: getattr(found, key) for key in ("distortion", "rate", "rows", "judged_rows")}
    values["of_rows"] = found.provenance.get("of_rows", found.rows)
    values |= _images(run, found.inputs)
    return values | {"elbo": elbo, "active_units": math.nan if active is None else active}, flags


def _images(run: Run, inputs: Mapping[str, Any]) -> dict[str, str]:
    """What the codes were made of, and on what scale that judges the distortion."""
    config, source = run.config, inputs.get("source", run.config.source)
    name = source.get("name") or Path(config.data).name
    split, rows = inputs.get("split", config.split), inputs.get("rows", config.rows)
    hashes = [inputs.get("fingerprint", {}).get(key, "") for key in ("images", "factors", "labels")]
    return {
        "data": f"{name}, split {split}, {rows} rows",
        "fingerprint": "".join(f"{each[:16]:16}" for each in hashes).rstrip(),
        "scale": scale(config.likelihood, source),
    }


def _scores(run: Run) -> tuple[dict[str, Any], list[str]]:
    if not run.has("score"):
        return {}, ["not scored"]
    scored, taken = run.scored, {*HEAD, *COSTS, *ROWS, *TAIL}
    scores = {name: Score.from_json(score) for name, score in scored["scores"].items() if name not in taken}
    values: dict[str, Any] = {"_metrics": {name: version_of(score) for name, score in scores.items()}}
    values["_caveats"] = scored.get("caveats") or []
    for metric, score in scores.items():
        values[metric] = score.value
        values |= {f"{metric}.{part}": value for part, value in score.parts.items()}
        values |= {} if score.whole is None else {f"{metric}_whole": score.whole}
        values[f"{metric}_no_interval"] = score.no_interval
        if score.bounds is not None:
            values |= {f"{metric}_low": score.bounds[0], f"{metric}_high": score.bounds[1]}
        if "rotated" in score.nulls and (metric not in names("metrics") or load("metrics", metric).METRIC.turns):
            values[f"{metric}_null"] = score.nulls["rotated"]
            values[f"{metric}_standardised"] = score.beside.get("standardised", score.value)
        if "permuted" in score.nulls:
            values[f"{metric}_permuted"] = score.nulls["permuted"]
        if "profile" in score.settings:
            values[f"{metric}_profile"] = str(score.settings["profile"])
    recorded = scored["inputs"].get("codes")
    return values, ["stale scores"] if _differs(recorded, lambda: sha256(run.codes_path)) else []


def _differs(recorded: Any, current: Any) -> bool:
    try:
        return recorded is not None and recorded != current()
    except MissingError:
        return False


def scale(likelihood: str, source: Mapping[str, Any]) -> str:
    """On what scale a likelihood of those images measures distortion."""
    kind, seed = "density" if likelihood in DENSITIES else likelihood, source.get("binarised")
    return kind if seed is None else f"{kind}, bits of seed {seed}"
