"""Training a study: every β with every seed, each member in a folder and a process of its own.

The folder is the ledger. A member that is finished is left alone, one that was interrupted is resumed, and one that
fails does not take the others along.
"""

from __future__ import annotations

import multiprocessing
import os
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import Field

from latentlab.config import Frozen, RunConfig, validate
from latentlab.data import Dataset, load
from latentlab.errors import InputError, LatentlabError, MissingError
from latentlab.files import write_json
from latentlab.runs import Study
from latentlab.training import configure, refuse_other, train

Progress = Callable[[Mapping[str, int], int], None]
POLL = 0.5


class StudyPlan(Frozen):
    """What a study file (TOML) may say: the data, the settings that vary, and options of `configure` that do not."""

    data: str
    beta: list[float | str]
    seeds: int = 1
    options: dict[str, Any] = Field(default_factory=dict)


def read_plan(path: Path) -> StudyPlan:
    """The plan in a study file; every key beside ``data``, ``beta`` and ``seeds`` is an option of training."""
    if not path.is_file():
        raise MissingError(f"{path} does not exist; expected a study file (TOML with data, beta, seeds)")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not valid TOML: {error}"[:200]) from error
    named = {key: content.pop(key) for key in ("data", "beta", "seeds") if key in content}
    plan: StudyPlan = validate(StudyPlan, {**named, "options": content}, str(path))
    return plan


def objective_of(beta: float | str) -> tuple[str, str, dict[str, Any]]:
    """Member name, objective and settings of one entry of a β list: ``ae`` or a number."""
    if str(beta).strip().lower() == "ae":
        return "ae", "ae", {}
    try:
        value = float(beta)
    except ValueError as error:
        raise InputError(f"β is {beta!r}; expected a number of at least 0, or ae, as in --beta ae,1,4") from error
    return f"beta{value:g}", "beta-vae", {"beta": value}


def members(
    data: Dataset, beta: Sequence[float | str], seeds: int, latent_dim: int | Sequence[int] = 10, **options: Any
) -> dict[str, RunConfig]:
    """The resolved configuration of every member, by the name of its folder."""
    sizes = [latent_dim] if isinstance(latent_dim, int) else list(latent_dim)
    if not 1 <= seeds <= 1000:
        raise InputError(f"seeds is {seeds}; expected 1 to 1000")
    options = {"threads": 1, **{key: value for key, value in options.items() if value is not None}}
    found: dict[str, RunConfig] = {}
    for entry, size, seed in product(beta, sizes, range(seeds)):
        name, objective, settings = objective_of(entry)
        place = f"-d{size}" if len(sizes) > 1 else ""
        chosen = configure(data, objective=objective, settings=settings, seed=seed, latent_dim=size, **options)
        found[f"{name}{place}-seed{seed}"] = chosen
    if not found:
        raise InputError("the list of β or of latent sizes is empty; expected at least one, as in --beta ae,1,4")
    return found


def sweep(
    data: Dataset | str | Path,
    out: str | Path,
    *,
    beta: Sequence[float | str] = ("ae", 1, 4, 16),
    seeds: int = 1,
    workers: int | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Study:
    """Train every β with seeds 0 … ``seeds`` − 1 and leave a study in the folder `out`.

    ``latent_dim``, among the options of `configure`, may be a list of latent sizes; then every β has each of them.

    One thread a member, one member a core: several at a time use the cores better than one on all of them. A member's
    weights equal those of training it alone with the same resolved hardware. Called again, it does what is missing.
    Raises `LatentlabError` when members failed; the others are finished all the same.

    >>> study = sweep("digits", "/tmp/latentlab-doctest-study", beta=[1, 4], steps=2, latent_dim=2, workers=1)
    >>> [run.config.label for run in study]
    ['β = 1', 'β = 4']
    """
    data, out = load(data), Path(out)
    plan = members(data, beta, seeds, **options)
    for name, config in plan.items():
        refuse_other(out / name, config, resume=True)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "study.json", {"format": 1, "members": {n: c.model_dump(mode="json") for n, c in plan.items()}})
    workers = (workers or min(len(plan), len(os.sched_getaffinity(0)))) if data.spec else 1
    report = progress or (lambda steps, total: None)
    failed = _train_here(data, out, plan, report) if workers == 1 else _train_apart(out, plan, workers, report)
    if failed:
        name, why = next(iter(failed.items()))
        raise LatentlabError(f"{len(failed)} of {len(plan)} members failed; the first, {name}: {why}"[:200])
    return Study(out)


def _train_here(data: Dataset, out: Path, plan: Mapping[str, RunConfig], report: Progress) -> dict[str, str]:
    failed: dict[str, str] = {}
    total = sum(config.steps for config in plan.values())
    done = dict.fromkeys(plan, 0)
    for name, config in plan.items():

        def note(step: int, steps: int, line: Mapping[str, Any], name: str = name) -> None:
            done[name] = step
            report(done, total)

        try:
            train(data, out / name, config=config, resume=True, progress=note)
        except LatentlabError as error:
            failed[name] = str(error)
        done[name] = config.steps
        report(done, total)
    return failed


def _train_apart(out: Path, plan: Mapping[str, RunConfig], workers: int, report: Progress) -> dict[str, str]:
    spec = next(iter(plan.values())).data
    context = multiprocessing.get_context("spawn")
    total = sum(config.steps for config in plan.values())
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_prepare_worker) as pool:
        waiting = {n: pool.submit(_train_member, spec, str(out / n), c.model_dump()) for n, c in plan.items()}
        try:
            while not all(future.done() for future in waiting.values()):
                report({name: _steps_done(out / name) for name in plan}, total)
                time.sleep(POLL)
        except KeyboardInterrupt:
            # The workers got the same signal and write their checkpoints; what has not begun is dropped.
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    report({name: _steps_done(out / name) for name in plan}, total)
    return {name: why for name, future in waiting.items() if (why := _failure(future))}


def _prepare_worker() -> None:
    from latentlab.memory import keep_freed_memory

    keep_freed_memory()


def _train_member(spec: str, out: str, config: dict[str, Any]) -> None:
    train(spec, out, config=RunConfig.model_validate(config), resume=True)


def _steps_done(folder: Path) -> int:
    """The last step in a member's history, read off the file's end while another process writes it."""
    path = folder / "history.jsonl"
    if not path.is_file():
        return 0
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 16384))
        lines = file.read().split(b"\n")[:-1]
    start = lines[-1].partition(b'"step": ')[2] if lines else b""
    number = start.partition(b",")[0].partition(b"}")[0]
    return int(number) if number.isdigit() else 0


def _failure(future: Future[None]) -> str:
    error = future.exception()
    if error is None:
        return ""
    return str(error) if isinstance(error, LatentlabError) else f"{type(error).__name__}: {error}"
