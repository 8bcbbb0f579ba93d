"""Training one model: from a data set and a configuration to a run folder.

The loop is `_fit`, to be read top to bottom. The order of an epoch and the noise of a step are functions of the seed
and the epoch or step, so a resume needs only weights, optimizer and step, which lie in one file.
"""

from __future__ import annotations

import json
import math
import os
import platform
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from latentlab.batches import Batches
from latentlab.config import Hardware, RunConfig
from latentlab.configuring import check_device, configure
from latentlab.data import Dataset, load
from latentlab.data._weights import digest, weights_of
from latentlab.errors import InputError, LatentlabError
from latentlab.files import lock, write_bytes, write_json
from latentlab.models import Autoencoder, build, place
from latentlab.models._autoencoder import fit_weights
from latentlab.models._layers import mix_precision
from latentlab.objectives import Moment, Terms, build_objective
from latentlab.parallel import Group, joined
from latentlab.runs import Run, read_history, same_data

Progress = Callable[[int, int, dict[str, Any]], None]
# What learns, by the prefix of its names in the checkpoint: the model under none, a critic under ``critic.``.
Learners = Mapping[str, tuple[nn.Module, torch.optim.Optimizer]]


def train(
    data: Dataset | str | Path,
    out: str | Path,
    *,
    config: RunConfig | None = None,
    weights: str | Path | ArrayLike | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Run:
    """Train one model on `data` and leave a run in the folder `out`.

    ``options`` are those of `configure`: ``objective``, ``settings``, ``latent_dim``, ``steps``, ``seed``, …;
    ``config`` is one that is resolved already. ``weights`` (a ``.npy`` or an array, entry i for the row with id i) say
    how often each row is drawn, as `latentlab.debiasing` makes them; a resume needs them again. A folder that holds the
    same run finished is returned as it is; unfinished, it is continued with ``resume=True``; a different run is refused
    with an `InputError`. A loss that is no finite number raises `LatentlabError` and leaves the last good checkpoint;
    an interrupt leaves a checkpoint of the step it came in.

    >>> run = train("digits", "/tmp/latentlab-doctest", steps=2, latent_dim=2, resume=True)
    >>> run.state
    'finished'
    """
    data = load(data)
    out = Path(out)
    config = config or configure(data, **options)
    part = data.split(config.split)
    drawn_by = None if weights is None else weights_of(part, weights)
    config = config if drawn_by is None else config.model_copy(update={"weights": digest(drawn_by)})
    refuse_other(out, config, resume=resume)
    with joined(config) as group, claimed(out, config) if group.writes else nullcontext():
        group.wait()
        run = Run(out)
        if run.state != "finished":
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
    changed = [key for key in ours if key != "hardware" and theirs[key] != ours[key]]
    if changed:
        key = changed[0]
        raise InputError(
            f"{out} holds a different run: {key} is {theirs[key]!r} there, {ours[key]!r} here; choose another --out"[
                :200
            ]
        )
    if run.state != "finished" and run.step and not resume:
        raise InputError(f"{out} holds this run at step {run.step:,} of {config.steps:,}; continue it with --resume")


def _fit(run: Run, data: Dataset, weights: NDArray[np.float64] | None, progress: Progress, group: Group) -> None:
    hardware = group.place(run.config.hardware)
    config, started = run.config.model_copy(update={"hardware": hardware}), time.monotonic()
    check_device(hardware.device)
    torch.set_num_threads(hardware.threads)
    objective = build_objective(config.objective)
    with torch.random.fork_rng(), interruptible() as interrupt, closing(Batches(data, config, weights)) as batches:
        model, optimizer = beginning(config)
        critic = objective.critic(config.latent_dim, hardware.device)
        learners = {"": (model, optimizer)} | ({"critic.": (critic.network, critic.optimizer)} if critic else {})
        first = done = restore(run, learners)
        terms = group.terms(objective, model)
        with closing(History(run, first, writes=group.writes)) as history, stopping_at_divergence(run, history):
            while done < config.steps and not group.any(interrupt.came, hardware.device):
                x = group.part(batches[done])
                torch.manual_seed(step_seed(config.seed, done))
                optimizer.param_groups[0]["lr"] = learning_rate(config, done)
                moment = Moment(done, len(data), critic)
                history.add(group.whole(_step(terms, optimizer, x, moment, hardware)))
                done += 1
                if done % config.log_every == 0 or done == config.steps:
                    progress(done, config.steps, history.log(done))
                if done % config.checkpoint_every == 0 and done < config.steps and group.writes:
                    save(run, learners, done)
            # A process that dies between the two files of a checkpoint leaves the weights behind.
            if done > run.step and group.writes:
                write_environment(run, done - first, time.monotonic() - started)
                save(run, learners, done)


def beginning(config: RunConfig) -> tuple[Autoencoder, torch.optim.Optimizer]:
    """The untrained model of a run on its device, and the optimizer that will train it."""
    torch.manual_seed(config.seed)
    model = place(build(config), config.hardware).train()
    if config.hardware.precision == "mixed":
        mix_precision(model, config.hardware.device.partition(":")[0])
    return model, torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)


class Interrupt:
    """Whether an interrupt came; the loop looks between two steps, so a checkpoint never holds half of one."""

    came = False

    def __call__(self, number: int, frame: object) -> None:
        if self.came:
            raise KeyboardInterrupt
        self.came = True


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Hold Ctrl-C and SIGTERM back until the block ends, then raise `KeyboardInterrupt`; a second one acts at once."""
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    heeded = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in heeded}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if interrupt.came:
        raise KeyboardInterrupt


class DivergedError(Exception):
    """A loss or a weight is no finite number."""


@contextmanager
def stopping_at_divergence(run: Run, history: History) -> Iterator[None]:
    """Turn `DivergedError` into a line of the history and one `LatentlabError`; the last good checkpoint stays."""
    try:
        yield
    except DivergedError as error:
        history.diverged(str(error))
        kept = f"the checkpoint of step {run.step:,} is kept" if run.step else "no checkpoint had been made"
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


class History:
    """``history.jsonl``: a line a logged step, each the mean over the steps since the line before."""

    def __init__(self, run: Run, first: int, *, writes: bool = True) -> None:
        self.path = run.path / "history.jsonl"
        kept = [line for line in (read_history(self.path) if self.path.is_file() else []) if line["step"] <= first]
        kept = [line for line in kept if "diverged" not in line]
        if writes:
            write_bytes(self.path, "".join(json.dumps(line) + "\n" for line in kept).encode())
        self.file = (self.path if writes else Path(os.devnull)).open("a", encoding="utf-8")
        self.sums: dict[str, Tensor] = {}
        self.count, self.step = 0, first

    def add(self, terms: Terms) -> None:
        found = {"loss": terms.loss.detach(), "distortion": terms.distortion.detach().mean()}
        if terms.rate is not None and terms.centred is not None:
            found["rate_per_dimension"] = terms.rate.detach().mean(dim=0)
            found["rate_mean_part"] = terms.centred.detach().mean(dim=0)
        self.take(found)

    def take(self, means: Mapping[str, Tensor]) -> None:
        """Add one step's means over its batch."""
        for key, value in means.items():
            self.sums[key] = self.sums[key] + value if key in self.sums else value.clone()
        self.count, self.step = self.count + 1, self.step + 1

    def log(self, step: int) -> dict[str, Any]:
        found: dict[str, Any] = {key: (value / self.count).tolist() for key, value in self.sums.items()}
        self.sums, self.count = {}, 0
        if not math.isfinite(found["loss"]):
            raise DivergedError(f"the loss is {found['loss']}")
        if "rate_per_dimension" in found:
            found["rate"] = sum(found["rate_per_dimension"])
            parts = zip(found["rate_per_dimension"], found["rate_mean_part"], strict=True)
            found["rate_variance_part"] = [rate - centred for rate, centred in parts]
            found["elbo"] = -found["distortion"] - found["rate"]
        self._write({"step": step, **found})
        return found

    def diverged(self, why: str) -> None:
        self._write({"step": self.step, "diverged": why})

    def _write(self, line: dict[str, Any]) -> None:
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()

    def close(self) -> None:
        self.file.close()


def save(run: Run, learners: Learners, step: int) -> None:
    """Publish the training state, then the model's weights alone."""
    from safetensors.torch import save as serialised

    state: dict[str, Tensor] = {}
    for prefix, (network, optimizer) in learners.items():
        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
        broken = [name for name, tensor in weights.items() if not torch.isfinite(tensor).all()]
        if broken:
            raise DivergedError(f"the weight {prefix}{broken[0]} is no finite number")
        state |= {f"{prefix}model.{name}": tensor for name, tensor in weights.items()}
        for number, slots in optimizer.state_dict()["state"].items():
            kept = {key: value.detach().cpu().contiguous() for key, value in slots.items()}
            state |= {f"{prefix}optimizer.{number}.{key}": value for key, value in kept.items()}
    weights = _part(state, "model.")
    # One metadata key: the library writes several in no fixed order, and equal runs must leave equal bytes.
    for path, tensors in ((run.path / "training.safetensors", state), (run.model_path, weights)):
        # As bytes: the library's own writing to a file leaves, where it is killed, a file that nobody would sweep.
        write_bytes(path, serialised(tensors, metadata={"step": str(step)}))


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Those whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def restore(run: Run, learners: Learners) -> int:
    """Put the last checkpoint into what learns; the step it was made at, 0 where there is none."""
    path = run.path / "training.safetensors"
    if not path.is_file():
        return 0
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            step = int(file.metadata()["step"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); restore it or train the run anew"[:200]) from error
    for prefix, (network, optimizer) in learners.items():
        fit_weights(network, _part(tensors, f"{prefix}model."), path)
        parameters = list(network.parameters())
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _part(tensors, f"{prefix}optimizer.").items():
            number, key = int(name.partition(".")[0]), name.partition(".")[2]
            like = parameters[number]
            # The fused optimizer goes through memory in step: its moments must lie as the parameter lies.
            kept = torch.empty_like(like).copy_(tensor) if tensor.shape == like.shape else tensor
            state.setdefault(number, {})[key] = kept.detach()
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    return step


def write_environment(run: Run, steps: int, seconds: float) -> None:
    """Publish what is known of machine and timing; kept out of every file whose bytes are promised."""
    packages = ("latentlab", "torch", "numpy", "safetensors", "h5py", "scikit-learn")
    images = steps * min(run.config.batch_size, run.config.rows)
    found = {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "machine": {"processor": processor(), "cores": os.cpu_count(), "system": platform.platform()},
        "training": {"steps": steps, "seconds": seconds, "images_per_second": images / seconds},
        "place": {"folder": str(Path.cwd())},  # where a relative path to the data starts
    }
    write_json(run.path / "environment.json", found)


def processor() -> str:
    """The processor's name, as Linux tells it."""
    return next(_processor_lines(), platform.processor() or platform.machine())


def _processor_lines() -> Iterator[str]:
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                yield line.partition(":")[2].strip()


@dataclass(frozen=True, slots=True)
class Summary:
    """What ``train --json`` says of a finished run, in nats an example over the last logged steps."""

    run: str
    steps: int
    seconds: float
    images_per_second: float
    distortion: float
    rate: float | None
    elbo: float | None


def summarise(run: Run) -> Summary:
    """The run's last logged line and its timing."""
    from latentlab.files import read_json

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
