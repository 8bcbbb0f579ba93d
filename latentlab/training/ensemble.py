"""Members of one network trained together: one pass of stacked weights, one optimiser, a folder each.

Small networks leave a GPU waiting for the next launch; M members in one pass launch as much as one. Each has the
images, the noise and the arithmetic of training alone, so that it differs from its solo run by the order of floating
sums only. The objective is run once under `torch.func.vmap`; noise is drawn outside, member by member, from a
generator seeded for its seed and step, and handed in (`latentlab.training.noise`). One that diverges is taken out of
the stack.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from torch.overrides import TorchFunctionMode

from latentlab.data import Dataset
from latentlab.errors import LatentlabError
from latentlab.runs.config import RunConfig
from latentlab.runs.run import Run
from latentlab.training.adam import Adam
from latentlab.training.batches import RESIDENT, bytes_of, epoch_order
from latentlab.training.checkpoint import restore, save
from latentlab.training.configure import check_device
from latentlab.training.environment import write_environment
from latentlab.training.history import History, added
from latentlab.training.noise import Handed
from latentlab.training.objectives import Moment, Objective, build_objective
from latentlab.training.train import (
    autocast,
    beginning,
    claimed,
    interruptible,
    learning_rate,
    step_seed,
    stopping_at_divergence,
)

Counted = Callable[[Mapping[Path, int]], None]


def kind(config: RunConfig) -> str | None:
    """What members that can be trained together have in common; None for one that trains alone.

    They may differ in the seed and in their objective's ``weights``. An objective that trains a critic does so alone,
    and so does a member whose rows are drawn by weights or whose model is told conditions.
    """
    if config.weights:
        return None
    objective = build_objective(config.objective)
    if type(objective).critic is not Objective.critic or config.conditions is not None:
        return None
    fixed = objective.model_dump(exclude=set(objective.weights)) | {"name": config.objective["name"]}
    return json.dumps([fixed, config.model_dump(mode="json", exclude={"seed", "objective"})], sort_keys=True)


def train_together(data: Dataset, members: Mapping[Path, RunConfig], progress: Counted) -> dict[Path, str]:
    """Train members of one `kind`, each in its folder; why some failed. What is finished is left alone.

    Members whose checkpoints are of different steps (a process died while it wrote them) go on in stacks of their own.
    """
    failed: dict[Path, str] = {}
    with ExitStack() as claims, torch.random.fork_rng():
        stacks: dict[int, list[Run]] = {}
        for folder, config in members.items():
            try:
                run = claims.enter_context(claimed(folder, config))
            except LatentlabError as error:
                failed[folder] = str(error)
            else:
                if run.state != "finished":
                    stacks.setdefault(run.step, []).append(run)
        for runs in stacks.values():
            failed |= _fit(runs, data.split(runs[0].config.split), progress)
    return failed


def _fit(runs: Sequence[Run], data: Dataset, progress: Counted) -> dict[Path, str]:
    config, started, failed = runs[0].config, time.monotonic(), dict[Path, str]()
    check_device(config.hardware.device)
    torch.set_num_threads(config.hardware.threads)
    with interruptible() as interrupt, ExitStack() as files:
        stack = Stack(runs, data)
        first = done = stack.first
        sums = stack.sums
        count = first % config.log_every if sums else 0
        histories = {run.path: files.enter_context(closing(History(run, first))) for run in runs}

        def each(work: Callable[[int, Run], Any]) -> None:
            """Do something for every member; one that turns out to have diverged leaves the stack."""
            nonlocal sums
            for number, run in enumerate(stack.runs):
                try:
                    with stopping_at_divergence(run, histories[run.path]):
                        work(number, run)
                except LatentlabError as error:
                    failed[run.path] = str(error)
            staying = [number for number, run in enumerate(stack.runs) if run.path not in failed]
            stack.keep(staying)
            sums = {key: value[staying] for key, value in sums.items()}

        def keep(number: int, run: Run) -> None:
            save(run, stack.solo(number), done, {key: value[number] for key, value in sums.items()})

        def log(number: int, run: Run) -> None:
            histories[run.path].sums = {key: value[number] for key, value in sums.items()}
            histories[run.path].count, histories[run.path].step = count, done
            histories[run.path].log(done)

        while stack.runs and done < config.steps and not interrupt.came:
            sums = added(sums, stack.step(done))
            done, count = done + 1, count + 1
            if done % config.log_every == 0 or done == config.steps:
                each(log)
                sums, count = {}, 0
                progress({run.path: done for run in stack.runs})
            if done % config.checkpoint_every == 0 and done < config.steps:
                each(keep)
        for run in stack.runs:
            write_environment(run, done - first, time.monotonic() - started)
        each(keep)
    return failed


def _stacked(sums: Sequence[Mapping[str, Tensor]], device: str) -> dict[str, Tensor]:
    """What the checkpoints kept for the history's next line, (members, …); nothing where they differ in kind."""
    kinds = [{key: value.shape for key, value in each.items()} for each in sums]
    alike = all(kind == kinds[0] for kind in kinds)
    return {key: torch.stack([each[key] for each in sums]).to(device) for key in kinds[0] if alike}


class Stack:
    """The members' weights, moments and images as one tensor each, the members along its first axis."""

    def __init__(self, runs: Sequence[Run], data: Dataset) -> None:
        self.runs, self.data, self.config = list(runs), data, runs[0].config
        self.device, self.form = self.config.hardware.device, self.config.form
        self.solos = [beginning(run.config) for run in runs]
        restored = [restore(run, {"": solo}) for run, solo in zip(runs, self.solos, strict=True)]
        self.first = min(step for step, _ in restored)  # all are equal
        self.sums = _stacked([sums for _, sums in restored], self.device)
        self.module = _Terms(self.solos[0][0])
        parameters, self.buffers = stack_module_state([model for model, _ in self.solos])
        self._stack(parameters, [_moments(*solo) for solo in self.solos])
        self.rows, self.size = len(data), min(self.config.batch_size, len(data))
        self.images = self._resident()
        self.epoch, self.orders = -1, torch.empty(0)
        self.shapes: list[torch.Size] | None = None

    def _stack(self, parameters: Mapping[str, Tensor], moments: Sequence[Mapping[str, Mapping[str, Tensor]]]) -> None:
        self.parameters = {name: value.detach().requires_grad_() for name, value in parameters.items()}
        self.optimizer = Adam(self.parameters.values(), lr=self.config.learning_rate, fused=True)
        for name, parameter in self.parameters.items():
            if moments[0]:
                slots = {key: torch.stack([each[name][key] for each in moments]) for key in ("exp_avg", "exp_avg_sq")}
                self.optimizer.state[parameter] = {"step": moments[0][name]["step"].clone(), **slots}

    def keep(self, numbers: Sequence[int]) -> None:
        """Go on with these members alone."""
        if len(numbers) == len(self.runs):
            return
        moments = [self._moments(number) for number in numbers]
        self.runs, self.solos = [self.runs[n] for n in numbers], [self.solos[n] for n in numbers]
        chosen = torch.tensor(numbers, dtype=torch.long, device=self.device)
        self.buffers = {name: value[chosen] for name, value in self.buffers.items()}
        self.epoch = -1
        if self.runs:
            self._stack({name: value.detach()[chosen] for name, value in self.parameters.items()}, moments)

    def solo(self, number: int) -> dict[str, tuple[nn.Module, torch.optim.Optimizer]]:
        """One member's model and optimizer as training alone would have them: what a checkpoint is made of."""
        model, optimizer = self.solos[number]
        moments = self._moments(number)
        for name, parameter in model.named_parameters():
            parameter.data.copy_(self.parameters[name].detach()[number])
            optimizer.state[parameter] = dict(moments[name])
        return {"": (model, optimizer)}

    def _moments(self, number: int) -> dict[str, dict[str, Tensor]]:
        state = {name: self.optimizer.state[parameter] for name, parameter in self.parameters.items()}
        return {
            name: {key: slots[key] if key == "step" else slots[key][number] for key in slots}
            for name, slots in state.items()
            if slots
        }

    def step(self, done: int) -> dict[str, Tensor]:
        """One step of every member; the means over each one's batch, (members, …), that the history records."""
        x, moment = self._batch(done), Moment(done, self.rows)
        objectives = [build_objective(run.config.objective) for run in self.runs]
        weights = {
            key: torch.tensor([getattr(objective, key) for objective in objectives], device=self.device)
            for key in objectives[0].weights
        }
        noise = self._noise(x, objectives[0], moment, done)

        def one(state: Any, buffers: Any, x: Tensor, weights: dict[str, Tensor], noise: tuple[Tensor, ...]) -> Any:
            objective = objectives[0].model_copy(update=weights)
            held = {f"model.{name}": value for name, value in {**state, **buffers}.items()}
            return functional_call(self.module, held, (objective, x, moment, noise))

        with autocast(self.config.hardware):
            found = vmap(one)(self.parameters, self.buffers, x, weights, noise)
        self.optimizer.param_groups[0]["lr"] = learning_rate(self.config, done)
        self.optimizer.zero_grad(set_to_none=True)
        found["loss"].sum().backward()  # no member's loss depends on another's weights
        self.optimizer.step()
        return {key: value.detach() for key, value in found.items()}

    def _resident(self) -> Tensor | None:
        """All samples on the device, where they take no more than half of its free memory: bytes as they are stored,
        others as the model takes them."""
        limit = torch.cuda.mem_get_info(self.device)[0] // 2 if self.device.startswith("cuda") else RESIDENT
        if bytes_of(self.data) > limit:
            return None
        samples = self.data.read(np.arange(self.rows))
        return torch.from_numpy(samples if self.form.bytes else self.form.to_model(samples)).to(self.device)

    def _batch(self, step: int) -> Tensor:
        """Every member's own samples of a step as the model takes them, (members, b, *shape) float32."""
        epoch, position = divmod(step, self.rows // self.size)
        if epoch != self.epoch:
            orders = [epoch_order(self.rows, run.config.seed, epoch) for run in self.runs]
            self.epoch, self.orders = epoch, torch.from_numpy(np.stack(orders))
            self.orders = self.orders if self.images is None else self.orders.to(self.device)
        rows = self.orders[:, position * self.size : (position + 1) * self.size]
        if self.images is not None:
            resident = self.images[rows]
            return resident.float().div_(self.form.scale[0]) if self.form.bytes else resident
        samples = self.form.to_model(self.data.read(rows.flatten().numpy()))
        return torch.from_numpy(samples).to(self.device).unflatten(0, tuple(rows.shape))

    def _noise(self, x: Tensor, objective: Objective, moment: Moment, step: int) -> tuple[Tensor, ...]:
        """Every member's own draws of a step, (members, …) for each draw that the objective makes."""
        if self.shapes is None:
            self.shapes = []
            with torch.no_grad(), Handed(self._look), autocast(self.config.hardware):
                objective.terms(self.solos[0][0], x[0], moment)
        if not self.shapes:
            return ()
        drawn = []
        generator = torch.Generator(self.device)
        for run in self.runs:
            generator.manual_seed(step_seed(run.config.seed, step))
            drawn.append([torch.randn(shape, generator=generator, device=self.device) for shape in self.shapes])
        return tuple(torch.stack(draws) for draws in zip(*drawn, strict=True))

    def _look(self, like: Tensor) -> Tensor:
        assert self.shapes is not None
        self.shapes.append(like.shape)
        return torch.zeros_like(like)


class _Terms(nn.Module):
    """An objective as a module's forward pass, which is what `functional_call` calls with weights from elsewhere."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, objective: Objective, x: Tensor, moment: Moment, noise: tuple[Tensor, ...]) -> dict[str, Tensor]:
        draws = iter(noise)
        with Handed(lambda like: next(draws)), _GroupNorm():
            terms = objective.terms(self.model, x, moment)  # type: ignore[arg-type]
        found = {"loss": terms.loss, "distortion": terms.distortion.mean()}
        if terms.rate is not None and terms.centred is not None:
            found |= {"rate_per_dimension": terms.rate.mean(dim=0), "rate_mean_part": terms.centred.mean(dim=0)}
        return found


class _GroupNorm(TorchFunctionMode):
    """Within it, group normalisation is written out: PyTorch's own cannot be called under vmap."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        called = _group_norm if func is nn.functional.group_norm else func
        return called(*args, **(kwargs or {}))


def _group_norm(x: Tensor, groups: int, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    grouped = x.unflatten(1, (groups, -1)).flatten(2)
    variance, mean = torch.var_mean(grouped, dim=2, correction=0, keepdim=True)
    normal = ((grouped - mean) * torch.rsqrt(variance + eps)).reshape(x.shape)
    return normal * weight[:, None, None] + bias[:, None, None]


def _moments(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, dict[str, Tensor]]:
    """The optimizer's state by the parameter's name; nothing before the first step."""
    return {name: optimizer.state[p] for name, p in model.named_parameters() if p in optimizer.state}
