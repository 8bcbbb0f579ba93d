"""The command lines that make a run again, from what the run recorded of itself."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from latentlab.codes.h5ad import read_provenance
from latentlab.errors import LatentlabError
from latentlab.runs.config import RunConfig, brief
from latentlab.runs.run import Run
from latentlab.runs.study import Study

APART = ("seed", "weights", "split", "precision", "threads")  # what `train` is told, and `sweep` is not


def command(*parts: str | Path) -> str:
    """A command line of latentlab that can be pasted into a shell.

    >>> command("compare", "my runs")
    "latentlab compare 'my runs'"
    """
    return shlex.join(["latentlab", *(str(part) for part in parts)])


def commands(run: Run) -> list[str]:
    """What makes this run and its analysis: ``train`` or ``import``, then ``analyze`` where it was analysed.

    Every setting that determines the weights is written out, defaults too, since a default may change. A name in
    capitals stands for a file or folder that the run knows by its hash alone: weights, or what a copy was made of.
    """
    return [_made(run), *_analysed(run, run.path)]


def study_commands(study: Study) -> list[str]:
    """What makes a study again: one ``sweep`` where its runs are all settings with all seeds, else a line per run.

    A run whose files cannot be read has no lines.
    """
    runs = [run for run in study.runs if _lines(lambda run=run: commands(run))]  # type: ignore[misc]
    swept = _swept(study)
    whole = {tuple(_analysed(run, study.path)) for run in runs if run.has("encode")}
    made = swept or [_made(run) for run in runs]
    analysed = [line for run in runs for line in _analysed(run, run.path)] if len(whole) > 1 else list(*whole)
    return list(dict.fromkeys([*made, *analysed]))


def _lines(read: Callable[[], list[str]]) -> list[str]:
    """Command lines; none where a file that tells them cannot be read, which the run's row in `compare` says."""
    try:
        return read()
    except LatentlabError:
        return []


def _swept(study: Study) -> list[str]:
    """The sweep that trains the whole study; nothing where its runs differ in more than β, or lack some seeds."""
    configs = [run.config for run in study.runs]
    if len(configs) < 2 or any(not each.has_model or each.imported or each.adapter for each in configs):
        return []
    if any(each.weights or each.split in ("train", "test") or each.conditions is not None for each in configs):
        return []
    shared = {tuple((key, value) for key, value in _settings(each).items() if key not in APART) for each in configs}
    varied = {tuple(_objective({**each.objective, "beta": None})) for each in configs if each.objective["name"] != "ae"}
    betas = ["ae" if each.objective["name"] == "ae" else each.beta for each in configs]
    seeds = {each.seed for each in configs}
    every = {(beta, seed) for beta in betas for seed in seeds}
    complete = {*zip(betas, (each.seed for each in configs), strict=True)} == every and len(every) == len(configs)
    plain = None in betas and len({*betas}) > 1  # an objective without β next to autoencoders: sweep has no word for it
    if len(shared) != 1 or len(varied) != 1 or plain or not complete or seeds != set(range(len(seeds))):
        return []
    given = [part for name, value in next(iter(shared)) if value != "" for part in (f"--{name}", str(value))]
    weights = list(dict.fromkeys("ae" if beta == "ae" else brief(beta) for beta in betas if beta is not None))
    given += ["--beta", ",".join(weights)] * bool(weights) + ["--seeds", str(len(seeds))]
    return [command("sweep", "--data", configs[0].data, "--out", study.path, *next(iter(varied)), *given)]


def _made(run: Run) -> str:
    config = run.config
    if not config.has_model and config.imported is not None:
        return _codes(run, config.imported)
    if config.adapter is not None:
        where = f"{config.adapter.file or 'FILE.py'}:{config.adapter.name}"
        own = [
            "--adapter",
            where,
            "--weights",
            "WEIGHTS",
            "--data",
            config.data,
            *_objective(config.objective, own=True),
        ]
        return command("import", *own, "--out", run.path)
    if config.imported is not None:
        kind = str(config.imported.get("format", "FORMAT")).replace("_", "-")
        return command(
            "import", kind, str(config.imported.get("file", "PATH")), "--data", config.data, "--out", run.path
        )
    given = [part for name, value in _settings(config).items() if value != "" for part in (f"--{name}", str(value))]
    return command("train", "--data", config.data, "--out", run.path, *_objective(config.objective), *given)


def _settings(config: RunConfig) -> dict[str, Any]:
    """The options of ``train`` that determine the weights, the objective apart; "" where one is not given."""
    return {
        "network": config.network,
        "likelihood": config.likelihood,
        "sigma": brief(config.sigma) if config.likelihood == "gaussian" else "",
        "latent-dim": config.latent_dim,
        "steps": config.steps,
        "batch-size": config.batch_size,
        "learning-rate": brief(config.learning_rate),
        "decay": brief(config.decay),
        "seed": config.seed,
        "correlate": config.correlate,
        "weights": "WEIGHTS" if config.weights and not config.correlate else "",
        "split": config.split if config.split in ("train", "test") else "",
        "precision": config.hardware.precision,
        "threads": config.hardware.threads,
        "device": config.hardware.device,
    }


def _codes(run: Run, imported: dict[str, Any]) -> str:
    options = {"name": run.config.label, "seed": run.config.seed or None, **dict(imported.get("options") or {})}
    given = [
        part
        for key, value in options.items()
        if key != "header" and value is not None
        for part in (f"--{key}", str(value))
    ]
    given += [] if options.get("header") is None else ["--header" if options["header"] else "--no-header"]
    kind, file = str(imported.get("format", "codes")), str(imported.get("file") or "CODES")
    if kind == "scvi":
        file, given = "MODEL_FOLDER", [*given, "--data", f"{run.config.source.get('name', 'CELLS')}.h5ad"]
    return command("import", kind, file, *given, "--out", run.path)


def _objective(objective: dict[str, Any], *, own: bool = False) -> list[str]:
    more = {key: value for key, value in objective.items() if key not in ("name", "beta")}
    beta = [] if objective.get("beta") is None else ["--beta", brief(objective["beta"])]
    given = [] if own else [part for key, value in more.items() for part in ("--set", f"{key}={brief(value)}")]
    return ["--objective", objective["name"].replace("_", "-"), *beta, *given]


def _analysed(run: Run, path: Path) -> list[str]:
    """What analysed the run, said of the run's folder or of its study's."""
    if not run.has("encode"):
        return []
    data = (
        ["--data", str(read_provenance(run.codes_path).get("data") or run.config.data)] if run.config.has_model else []
    )
    found = run.scored
    inputs, metrics = found["inputs"], list(found["scores"])
    options = ["--metric", ",".join(metrics)] if metrics else []
    for key in ("profile", "resamples"):
        options += [f"--{key}", str(inputs[key])] if key in inputs else []
    options += ["--resample-slow"] if inputs.get("resample_slow") else []
    adapter = (
        ["--adapter", f"{run.config.adapter.file or 'FILE.py'}:{run.config.adapter.name}"] if run.config.adapter else []
    )
    copy = "full_codes" in inputs
    export = [command("export", "FULL_STUDY", "--to", "study", "-o", run.path.parent)] if copy else []
    return [command("analyze", path, *data, *options, *adapter), *export]
