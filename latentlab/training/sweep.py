"""Training a study: every setting with every seed, each member in a folder of its own.

The folder is the ledger. A member that is finished is left alone, one that was interrupted is resumed, and one that
fails does not take the others along; whether they are trained in processes of their own, on the workers of a cluster,
or together in this process changes nothing of that.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from latentlab.data import Dataset, load
from latentlab.errors import InputError, LatentlabError
from latentlab.runs.config import RunConfig
from latentlab.runs.data_for_workers import hand_over, take_over
from latentlab.runs.run import Run
from latentlab.runs.shards import read_shard
from latentlab.runs.study import Study
from latentlab.system import cluster as clusters
from latentlab.system.files import MERGE_PATIENCE, lock, read_record, unless_damaged, write_json
from latentlab.system.machine import cores
from latentlab.system.processes import Process, hand, start, stop, waits
from latentlab.training.plan import Value, Values, members
from latentlab.training.train import refuse_other, train

Counted = Callable[[Mapping[str, int], int], None]
Plan = Mapping[str, RunConfig]
POLL = 0.5
MEMBER = "latentlab.training.sweep:train_member"


def sweep(
    data: Dataset | NDArray[Any] | str | Path,
    out: str | Path,
    *,
    objective: str = "beta-vae",
    beta: Sequence[Value] | None = None,
    settings: Mapping[str, Values] | None = None,
    seeds: int = 1,
    workers: int | None = None,
    shard: str | None = None,
    cluster: str | None = None,
    together: bool | None = None,
    progress: Counted | None = None,
    **options: Any,
) -> Study:
    """Train every setting with several seeds and save the runs as a study.

    Parameters
    ----------
    data : Dataset, array, str or Path
        What to train on; as `latentlab.data.load` takes it.
    out : str or Path
        The study's folder. Called again, `sweep` trains what is missing.
    objective : str, default "beta-vae"
        A file of `latentlab.training.objectives`.
    beta : sequence, optional
        Values of β (and ``ae``, for a plain autoencoder as well). Without ``beta`` and ``settings`` the β-VAE is
        trained at ae, 1, 4 and 16.
    settings : mapping, optional
        Values of other settings of the objective, as in ``{"gamma": [10, 35]}``; lists are crossed, also with
        ``latent_dim``, among the options, where it is a list.
    seeds : int, default 1
        Every setting is trained with seeds 0 … ``seeds`` − 1.
    workers : int, optional
        How many processes train, 1 to 1024; by default one per core. Excludes ``cluster`` and ``together``.
    shard : str, optional
        ``"2/8"`` trains the second of eight parts.
    cluster : str, optional
        The address of a Dask scheduler whose workers train.
    together : bool, optional
        Whether members that differ in seed and in weights of the objective alone are trained in one pass of stacked
        weights, as they are on a GPU by default; they equal their solo runs but for the order of floating sums.
    progress : callable, optional
        Called with steps done and steps in all.
    **options
        Those of `configure`: ``latent_dim``, ``steps``, ``network``, … ``correlate="shape:scale=0.2"`` trains all on
        rows drawn so that two factors are correlated.

    Returns
    -------
    Study
        The study with every run that is finished.

    Raises
    ------
    InputError
        For settings that cannot be used or exclude each other, and a folder that holds something else.
    LatentlabError
        Where runs failed; the others are trained nevertheless.

    Notes
    -----
    Each core trains one member with one thread, which uses the cores better than one member on all of them. A member's
    weights equal those of training it alone with the same resolved hardware.

    Examples
    --------
    >>> study = sweep("digits", "/tmp/latentlab-doctest-study", beta=[1, 4], steps=2, latent_dim=2, workers=1)
    >>> [run.config.label for run in study]
    ['β = 1', 'β = 4']
    """
    data, out = load(data), Path(out)
    if workers is not None and not 1 <= workers <= 1024:
        raise InputError(f"workers is {workers}; expected 1 to 1024")
    if out.exists() and (not out.is_dir() or (out / "config.json").is_file()):
        raise InputError(f"{out} is a {'run' if out.is_dir() else 'file'}; a study needs a separate folder")
    whole = members(data, beta, seeds, objective=objective, settings=settings, **options)
    plan = _part(whole, shard)
    if together and (cluster is not None or workers is not None):
        raise InputError("together runs in one process and excludes workers and cluster; leave one out")
    if cluster is not None:
        clusters.check(cluster)
        if not data.spec or workers is not None:
            raise InputError(
                "a cluster's workers load data by name or path, which these data do not have; train here"
                if not data.spec
                else "workers and cluster exclude each other; leave one out"
            )
    for name, config in plan.items():
        refuse_other(out / name, config, resume=True)
    _write_plan(out, whole)
    workers = min(len(plan), workers or cores())
    report = progress or (lambda steps, total: None)
    _say(out, plan, report)  # what is there already takes no time now
    if cluster is not None:
        failed = _train_on_cluster(data, out, plan, cluster, report)
    elif _together(plan) if together is None else together:
        failed = _train_together(data, out, plan, report)
    elif workers == 1 or not data.spec:  # another process can load only what has a name or a path
        failed = _train_here(data, out, plan, report)
    else:
        failed = _train_apart(data, out, plan, workers, report)
    if failed:
        name, why = next(iter(failed.items()))
        raise LatentlabError(f"{len(failed)} of {len(plan)} runs failed; the first, {name}: {why}"[:200])
    return Study(out)


def _write_plan(out: Path, plan: Plan) -> None:
    """Publish ``study.json``: these members, then those that an earlier plan names and this one does not."""
    named = {name: config.model_dump(mode="json") for name, config in plan.items()}
    with lock(out, MERGE_PATIENCE):
        earlier = (unless_damaged(lambda: read_record(out / "study.json")) or {}).get("members")
        others = {
            name: each for name, each in (earlier if isinstance(earlier, dict) else {}).items() if name not in named
        }
        write_json(out / "study.json", {"format": 1, "members": named | others})


def _part(plan: Plan, shard: str | None) -> Plan:
    if shard is None:
        return plan
    part = read_shard(shard)
    if part.parts > len(plan):
        raise InputError(f"shard is {shard}, but the study has {len(plan)} runs; expected at most that many parts")
    return {name: plan[name] for name in part.of(list(plan))}


def train_member(data: Mapping[str, Any], out: str, config: Mapping[str, Any]) -> None:
    """What the process of one member does."""
    train(take_over(data), out, config=RunConfig.model_validate(config), resume=True)


def _task(data: Mapping[str, Any], out: Path, config: RunConfig) -> dict[str, Any]:
    return {"data": data, "out": str(out), "config": config.model_dump(mode="json")}


def _train_here(data: Dataset, out: Path, plan: Plan, report: Counted) -> dict[str, str]:
    failed: dict[str, str] = {}
    total = sum(config.steps for config in plan.values())
    done = {name: _steps_done(out / name) for name in plan}
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


def _together(plan: Plan) -> bool:
    return all(config.hardware.device.startswith("cuda") for config in plan.values())


def _train_together(data: Dataset, out: Path, plan: Plan, report: Counted) -> dict[str, str]:
    from latentlab.training.ensemble import kind, train_together

    stacks: dict[str, dict[str, RunConfig]] = {}
    for name, config in plan.items():
        stacks.setdefault(kind(config) or name, {})[name] = config
    failed: dict[str, str] = {}
    for stack in stacks.values():
        if len(stack) == 1:
            failed |= _train_here(data, out, stack, lambda done, total: _say(out, plan, report))
        else:
            members = {out / name: config for name, config in stack.items()}
            found = train_together(data, members, lambda done: _say(out, plan, report))
            failed |= {folder.name: why for folder, why in found.items()}
    _say(out, plan, report)
    return failed


def _train_apart(data: Dataset, out: Path, plan: Plan, workers: int, report: Counted) -> dict[str, str]:
    waiting, given = _unfinished(out, plan), hand_over(data)
    running, failed = dict[Process, str](), dict[str, str]()

    def task() -> tuple[str, dict[str, Any]]:
        name = waiting.pop(0)
        return name, _task(given, out / name, plan[name])

    try:
        while waiting or running:
            while waiting and len(running) < workers:
                name, told = task()
                running[start(MEMBER, told, stay=True)] = name
            _say(out, plan, report)
            spoken, _, _ = select.select([each.stdout for each in running if each.stdout], [], [], POLL)
            for process in [each for each in running if each.stdout in spoken]:
                name, (stays, why) = running.pop(process), waits(process)
                if why:
                    failed[name] = why
                if stays and waiting:
                    running[process], told = task()
                    hand(process, MEMBER, told)
                elif stays:
                    stop([process])
    finally:
        stop(running)
    _say(out, plan, report)
    return failed


def _train_on_cluster(data: Dataset, out: Path, plan: Plan, address: str, report: Counted) -> dict[str, str]:
    whole, given = out.resolve(), hand_over(data)  # the workers stand in other folders
    jobs = {
        name: clusters.Job(MEMBER, _task(given, whole / name, plan[name]), whole / name)
        for name in _unfinished(out, plan)
    }
    failed = clusters.spread(address, jobs, lambda done: _say(out, plan, report))
    _say(out, plan, report)
    # What counts is what lies on the disk, not what a worker said.
    return failed | {name: "it was not finished" for name in _unfinished(out, plan) if name not in failed}


def _unfinished(out: Path, plan: Plan) -> list[str]:
    return [n for n in plan if not (out / n / "config.json").is_file() or Run(out / n).state != "finished"]


def _say(out: Path, plan: Plan, report: Counted) -> None:
    report({name: _steps_done(out / name) for name in plan}, sum(config.steps for config in plan.values()))


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
