"""The command lines that make a run again, from what the run recorded of itself."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from latentlab.codes.h5ad import read_provenance
from latentlab.runs.run import Run


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
    return [_made(run), *_analysed(run)]


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
    settings = {
        "network": config.network,
        "likelihood": config.likelihood,
        "sigma": f"{config.sigma:g}" if config.likelihood == "gaussian" else "",
        "latent-dim": config.latent_dim,
        "steps": config.steps,
        "batch-size": config.batch_size,
        "learning-rate": f"{config.learning_rate:g}",
        "decay": f"{config.decay:g}",
        "seed": config.seed,
        "correlate": config.correlate,
        "weights": "WEIGHTS" if config.weights and not config.correlate else "",
        "split": config.split if config.split in ("train", "test") else "",
        "precision": config.hardware.precision,
        "threads": config.hardware.threads,
        "device": config.hardware.device,
    }
    given = [part for name, value in settings.items() if value != "" for part in (f"--{name}", str(value))]
    return command("train", "--data", config.data, "--out", run.path, *_objective(config.objective), *given)


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
    beta = [] if objective.get("beta") is None else ["--beta", f"{objective['beta']:g}"]
    given = [] if own else [part for key, value in more.items() for part in ("--set", f"{key}={value}")]
    return ["--objective", objective["name"].replace("_", "-"), *beta, *given]


def _analysed(run: Run) -> list[str]:
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
    return [command("analyze", run.path, *data, *options, *adapter), *export]
