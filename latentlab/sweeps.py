"""Training a study: every β with every seed, each member in a folder and a process of its own.

The folder is the ledger. A member that is finished is left alone, one that was interrupted is resumed, and one that
fails does not take the others along.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

from latentlab.config import Frozen, RunConfig, validate
from latentlab.configuring import configure, cores
from latentlab.data import Dataset, load
from latentlab.errors import InputError, LatentlabError, MissingError
from latentlab.files import write_json
from latentlab.runs import Run, Study
from latentlab.training import refuse_other, train

Progress = Callable[[Mapping[str, int], int], None]
Process = subprocess.Popen[str]
POLL = 0.5
MEMBER = "from latentlab.sweeps import train_member; train_member()"


class StudyPlan(Frozen):
    """What a study file (TOML) may say: the data, the settings that vary, and options of `configure` that do not."""

    data: str
    beta: list[float | str]
    seeds: int = 1
    latent_dim: int | list[int] = 10
    network: str | None = None
    likelihood: str | None = None
    sigma: float | None = None
    steps: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    decay: float | None = None
    split: str | None = None
    precision: str | None = None
    threads: int | None = None
    device: str | None = None
    log_every: int | None = None
    checkpoint_every: int | None = None

    @property
    def options(self) -> dict[str, Any]:
        """What goes to every member as it stands."""
        return self.model_dump(exclude={"data", "beta", "seeds"}, exclude_none=True)


def read_plan(path: Path) -> StudyPlan:
    """The plan in a study file."""
    if not path.is_file():
        raise MissingError(f"{path} does not exist; expected a study file (TOML with data, beta, seeds)")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not valid TOML: {error}"[:200]) from error
    plan: StudyPlan = validate(StudyPlan, content, str(path))
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
        if found.setdefault(f"{name}{place}-seed{seed}", chosen) != chosen:
            raise InputError(f"two entries of β share the name {name}; give values that differ in six digits")
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
    if workers is not None and not 1 <= workers <= 1024:
        raise InputError(f"workers is {workers}; expected 1 to 1024 members at a time")
    if out.exists() and (not out.is_dir() or (out / "config.json").is_file()):
        raise InputError(f"{out} is a {'run' if out.is_dir() else 'file'}; a study needs a folder of its own")
    plan = members(data, beta, seeds, **options)
    for name, config in plan.items():
        refuse_other(out / name, config, resume=True)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "study.json", {"format": 1, "members": {n: c.model_dump(mode="json") for n, c in plan.items()}})
    workers = min(len(plan), workers or cores())
    report = progress or (lambda steps, total: None)
    here = workers == 1 or not data.spec  # another process can load only what has a name or a path
    failed = _train_here(data, out, plan, report) if here else _train_apart(data.spec, out, plan, workers, report)
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


def _train_apart(spec: str, out: Path, plan: Mapping[str, RunConfig], workers: int, report: Progress) -> dict[str, str]:
    waiting = [(name, config) for name, config in plan.items() if not _finished(out / name)]
    running, failed = dict[str, Process](), dict[str, str]()
    total = sum(config.steps for config in plan.values())
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                name, config = waiting.pop(0)
                running[name] = _start(spec, out / name, config)
            report({name: _steps_done(out / name) for name in plan}, total)
            select.select([process.stdout for process in running.values() if process.stdout], [], [], POLL)
            for name in [name for name, process in running.items() if process.poll() is not None]:
                if why := _failure(running.pop(name)):
                    failed[name] = why
    finally:
        for process in running.values():
            process.terminate()  # it writes a checkpoint and ends
        for process in running.values():
            process.wait()  # before its input is closed, which would interrupt it once more
            process.communicate()
    report({name: _steps_done(out / name) for name in plan}, total)
    return failed


def _finished(folder: Path) -> bool:
    return (folder / "config.json").is_file() and Run(folder).state == "finished"


def _start(spec: str, out: Path, config: RunConfig) -> Process:
    """A process of its own for one member: a plain new interpreter, which runs nothing of the program that called."""
    task = {"spec": spec, "out": str(out), "config": config.model_dump(mode="json")}
    # -P, and this process's own path: files of the folder it stands in (a random.py, say) must not pass for modules.
    command = [sys.executable, "-P", "-c", f"import sys; sys.path[:] = {sys.path!r}; {MEMBER}"]
    with _interrupts_kept_from_children():
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if process.stdin is not None:
        process.stdin.write(json.dumps(task) + "\n")
        process.stdin.flush()  # and left open: its end tells the member that this process is gone
    return process


@contextmanager
def _interrupts_kept_from_children() -> Iterator[None]:
    """A process started within ignores Ctrl-C, which the terminal sends to all: this process stops it, once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def train_member() -> None:
    """What a member's process runs: the task on standard input, and why it failed on standard output."""
    from latentlab.memory import keep_freed_memory

    keep_freed_memory()
    task = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        train(task["spec"], task["out"], config=RunConfig.model_validate(task["config"]), resume=True)
    except KeyboardInterrupt:
        sys.exit(130)
    except LatentlabError as error:
        sys.exit(_say(str(error)))
    except Exception as error:
        sys.exit(_say(f"{type(error).__name__}: {error}"))


def _say(why: str) -> int:
    print(why, flush=True)
    return 1


def _end_with_parent() -> None:
    """A sweep that was killed leaves no member behind that trains on and holds its folder."""
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _failure(process: Process) -> str:
    """Why a member that has ended failed; empty where it did not."""
    said, _ = process.communicate()
    if process.returncode == 0:
        return ""
    return " ".join(said.split()) or f"its process ended with status {process.returncode}"


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
