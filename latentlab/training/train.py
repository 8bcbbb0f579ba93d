"""Training one model: from a data set and a configuration to a run folder.

The loop is `_fit`, to be read top to bottom. The order of an epoch and the noise of a step are functions of the seed
and the epoch or step, so a resume needs only weights, optimizer and step, which lie in one file.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from latentlab.data import Dataset, load, say_if_dark
from latentlab.data.dataset import check_ids
from latentlab.errors import InputError, LatentlabError
from latentlab.models import Autoencoder, build, place
from latentlab.models.networks._layers import mix_precision
from latentlab.runs.config import Hardware, RunConfig
from latentlab.runs.data import same_data
from latentlab.runs.run import Run
from latentlab.system.files import lock, write_json
from latentlab.training.adam import Adam
from latentlab.training.batches import Batches
from latentlab.training.checkpoint import restore, save
from latentlab.training.configure import check_device, configure
from latentlab.training.environment import write_environment
from latentlab.training.history import DivergedError, History
from latentlab.training.objectives import Moment, Terms, build_objective
from latentlab.training.pace import Pace, alike
from latentlab.training.parallel import Group, joined
from latentlab.training.row_weights import digest, drawn_with

RESTORE = "restore the data, or choose another --out"
Logged = Callable[[int, int, dict[str, Any]], None]


def train(
    data: Dataset | NDArray[Any] | str | Path,
    out: str | Path,
    *,
    config: RunConfig | None = None,
    weights: str | Path | ArrayLike | None = None,
    resume: bool = False,
    progress: Logged | None = None,
    **options: Any,
) -> Run:
    """Train one model and save it as a run.

    Parameters
    ----------
    data : Dataset, array, str or Path
        What to train on; as `latentlab.data.load` takes it.
    out : str or Path
        The run's folder. If it holds the same run, finished, that run is returned; a different run is refused.
    config : RunConfig, optional
        A configuration that is already resolved.
    weights : array, str or Path, optional
        How often each row is drawn (a ``.npy`` or an array, entry i for the row with id i), as
        `latentlab.analysis.debias.measure` makes them. A resume needs them again, and a file that was made for other
        images is refused.
    resume : bool, default False
        Whether to resume an unfinished run in that folder.
    progress : callable, optional
        Called with the step, the number of steps, and what was logged.
    **options
        Those of `configure`: ``objective``, ``beta``, ``settings``, ``latent_dim``, ``steps``, ``seed``, …
        ``correlate`` has rows drawn so that two factors are correlated (`latentlab.training.correlated`), which the run
        records, so a resume needs the same text.

    Returns
    -------
    Run
        The run, finished.

    Raises
    ------
    InputError
        For a setting that cannot be used, weights or images that do not belong to the run, and a folder that holds a
        different or an unfinished run.
    MissingError
        Where the data are not there.
    LatentlabError
        Where a loss is not finite, which leaves the last good checkpoint. An interrupt leaves a checkpoint of the step
        it came in.

    Examples
    --------
    >>> run = train("digits", "/tmp/latentlab-doctest", steps=2, latent_dim=2, resume=True)
    >>> run.state
    'finished'
    """
    data = load(data)
    out = Path(out)
    config = config or configure(data, **options)
    part = data.split(config.split)
    check_ids(part)
    if config.fingerprint not in ("", part.fingerprint["images"]):
        raise InputError(f"{str(out)[-50:]} is for different images than {part.name[-50:]}; {RESTORE}")
    drawn_by = drawn_with(config, part, data, weights)
    config = config if drawn_by is None else config.model_copy(update={"weights": digest(drawn_by)})
    refuse_other(out, config, resume=resume)
    with joined(config) as group, claimed(out, config) if group.writes else nullcontext():
        group.wait()
        run = Run(out)
        if run.state != "finished":
            if group.writes:
                say_if_dark(part)
            _fit(run, part, drawn_by, progress or (lambda step, steps, line: None), group)
        group.wait()
    return Run(out)


@contextmanager
def claimed(out: Path, config: RunConfig) -> Iterator[Run]:
    """The run in the folder `out`, begun if it was not, with this process as its only writer."""
    with lock(out):
        if not (out / "config.json").is_file():
            write_json(out / "config.json", config.model_dump(mode="json"))
        yield Run(out)


def refuse_other(out: Path, config: RunConfig, *, resume: bool) -> None:
    """Raise an `InputError` where `out` holds anything but this run, to be started, resumed or found finished."""
    if not out.exists() or (out.is_dir() and not any(f for f in out.iterdir() if not f.name.startswith("."))):
        return
    run = Run(out)
    theirs, ours = run.config.model_dump(), config.model_dump()
    if theirs["objective"]["name"] == ours["objective"]["name"]:  # an older file lacks settings that came later
        for each in (theirs, ours):
            each["objective"] = build_objective(each["objective"]).model_dump()
    if same_data(run, config.data):  # however the path to it is spelt
        theirs["data"] = ours["data"]
    if not theirs["fingerprint"]:  # a run from before there were any
        theirs["fingerprint"] = ours["fingerprint"]
    changed = [key for key in ours if key != "hardware" and theirs[key] != ours[key]]
    if changed:
        key = changed[0]
        if key == "fingerprint":
            came = f"{str(out)[-50:]} was trained on different images than {config.data[-50:]} contains now"
            raise InputError(f"{came}; {RESTORE}")
        raise InputError(
            f"{out} contains a different run: {key} is {theirs[key]!r} there, {ours[key]!r} here; choose another --out"[
                :200
            ]
        )
    if run.state != "finished" and run.step and not resume:
        raise InputError(f"{out} contains this run at step {run.step:,} of {config.steps:,}; continue it with --resume")


def _fit(run: Run, data: Dataset, weights: NDArray[np.float64] | None, progress: Logged, group: Group) -> None:
    hardware = group.place(run.config.hardware)
    config, started = run.config.model_copy(update={"hardware": hardware}), time.monotonic()
    check_device(hardware.device)
    torch.set_num_threads(hardware.threads)
    objective = build_objective(config.objective)
    with torch.random.fork_rng(), interruptible() as interrupt, closing(Batches(data, config, weights)) as batches:
        model, optimizer = beginning(config)
        critic = objective.critic(config.latent_dim, hardware.device)
        learners = {"": (model, optimizer)} | ({"critic.": (critic.network, critic.optimizer)} if critic else {})
        first, sums = restore(run, learners)
        done = first
        terms = group.terms(objective, model, config.conditions)
        pace = Pace([hardware.threads])
        with closing(History(run, first, sums, writes=group.writes)) as history, stopping_at_divergence(run, history):
            while done < config.steps and not group.any(interrupt.came, hardware.device):
                x = group.part(batches[done])
                begin_noise(step_seed(config.seed, done), hardware.device)
                optimizer.param_groups[0]["lr"] = learning_rate(config, done)
                moment = Moment(done, len(data), critic)
                if done == first and critic is None and group.size == 1:
                    pace = _pace(model, terms, x, moment, hardware)
                with pace.step():
                    history.add(group.whole(_step(terms, optimizer, x, moment, hardware)))
                done += 1
                if done % config.log_every == 0 or done == config.steps:
                    progress(done, config.steps, history.log(done))
                if done % config.checkpoint_every == 0 and done < config.steps and group.writes:
                    save(run, learners, done, history.sums)
            # A process that dies between the two files of a checkpoint leaves the weights behind.
            if done > run.step and group.writes:
                write_environment(run, done - first, time.monotonic() - started)
                save(run, learners, done, history.sums)


def _pace(
    model: Autoencoder, terms: Callable[[Tensor, Moment], Terms], x: Tensor, moment: Moment, hardware: Hardware
) -> Pace:
    """The threads to choose from for steps like this one, whose noise is still to be drawn; it is put back."""
    if hardware.device != "cpu" or hardware.threads == 1 or any(True for _ in model.buffers()):
        return Pace([hardware.threads])
    state = torch.get_rng_state()

    def loss() -> Tensor:
        torch.set_rng_state(state)
        with autocast(hardware):
            return terms(x, moment).loss

    try:
        return Pace(alike(hardware.threads, loss, model))
    finally:
        torch.set_rng_state(state)


def beginning(config: RunConfig) -> tuple[Autoencoder, torch.optim.Optimizer]:
    """The untrained model of a run on its device, and the optimizer that will train it."""
    torch.manual_seed(config.seed)
    model = place(build(config), config.hardware).train()
    if config.hardware.precision == "mixed":
        mix_precision(model, config.hardware.device.partition(":")[0])
    return model, Adam(model.parameters(), lr=config.learning_rate, fused=True)


class Interrupt:
    """Whether an interrupt came; the loop looks between two steps, so a checkpoint never holds half of one."""

    came = False

    def __call__(self, number: int, frame: object) -> None:
        if self.came:
            raise KeyboardInterrupt
        self.came = True


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Hold Ctrl-C, SIGTERM and SIGHUP back until the block ends, then raise `KeyboardInterrupt`.

    A second one acts at once. One that whoever started this process has ignored, as nohup does, stays ignored.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    heeded = [n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in heeded}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if interrupt.came:
        raise KeyboardInterrupt


@contextmanager
def stopping_at_divergence(run: Run, history: History) -> Iterator[None]:
    """Turn `DivergedError` into a line of the history and one `LatentlabError`; the last good checkpoint stays."""
    try:
        yield
    except DivergedError as error:
        history.diverged(str(error))
        kept = f"the checkpoint of step {run.step:,} is kept" if run.step else "no checkpoint was saved"
        raise LatentlabError(f"{run.path} diverged: {error}; {kept}; lower --learning-rate") from error


def _step(
    terms_of: Callable[[Tensor, Moment], Terms],
    optimizer: torch.optim.Optimizer,
    x: Tensor,
    moment: Moment,
    hardware: Hardware,
) -> Terms:
    with autocast(hardware):
        terms = terms_of(x, moment)
    optimizer.zero_grad(set_to_none=True)
    terms.loss.backward()
    optimizer.step()
    if moment.critic and terms.critic_loss is not None:
        moment.critic.learn(terms.critic_loss)
    return terms


def autocast(hardware: Hardware) -> torch.autocast:
    """What the forward pass is computed in."""
    reduced = hardware.precision == "bfloat16"
    return torch.autocast(hardware.device.partition(":")[0], dtype=torch.bfloat16, enabled=reduced)


def learning_rate(config: RunConfig, step: int) -> float:
    """The step size of one step: constant, then falling linearly to zero over the last part that ``decay`` names.

    On MNIST, 20,000 steps, the fall brought the test ELBO from −100.8 to −98.3 nats.
    """
    left = (config.steps - step) / config.steps
    return config.learning_rate * min(1.0, left / config.decay if config.decay else 1.0)


def step_seed(seed: int, step: int) -> int:
    """The seed of one step's noise: a function of the run's seed and the step alone, so a resume repeats it."""
    return int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0] >> 1)


def begin_noise(seed: int, device: str) -> None:
    """Seed torch, on the CPU that alone.

    For each kind of device that a machine lacks, `torch.manual_seed` writes down the stack of calls, which takes a good
    part of a small model's step.
    """
    (torch.default_generator if device == "cpu" else torch).manual_seed(seed)


@dataclass(frozen=True, slots=True)
class Summary:
    """What ``train --json`` says of a finished run, in nats per example over the last logged steps."""

    run: str
    steps: int
    seconds: float
    images_per_second: float
    distortion: float
    rate: float | None
    elbo: float | None


def summarise(run: Run) -> Summary:
    """The run's last logged line and its timing."""
    from latentlab.system.files import read_json

    timing = read_json(run.path / "environment.json")["training"]
    last = run.history()[-1]
    return Summary(
        str(run.path),
        run.step,
        timing["seconds"],
        timing["images_per_second"],
        last["distortion"],
        last.get("rate"),
        last.get("elbo"),
    )
