"""One model on several devices: ``torchrun --nproc-per-node 2 -m latentlab train …``, a process a device.

Every process reads the whole batch and takes its part of it; the gradients are averaged by PyTorch's own DDP, so a step
is that of one process with the whole batch, but for the order of floating sums. The noise of a part is that part of the
whole batch's. Rank 0 alone writes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn

from latentlab.errors import InputError
from latentlab.models import Autoencoder
from latentlab.models.conditions import unpacked
from latentlab.runs.config import Conditions, Hardware, RunConfig
from latentlab.training.noise import Handed
from latentlab.training.objectives import Moment, Objective, Terms, build_objective


@dataclass(frozen=True)
class Group:
    """The processes that train one model: this one is ``rank`` of ``size``. Alone, nothing here does anything."""

    rank: int = 0
    size: int = 1

    @property
    def writes(self) -> bool:
        """Whether this process is the one that writes the run."""
        return self.rank == 0

    def place(self, hardware: Hardware) -> Hardware:
        """The hardware with this process's own device."""
        if self.size == 1 or hardware.device != "cuda":
            return hardware
        return hardware.model_copy(update={"device": f"cuda:{os.environ.get('LOCAL_RANK', self.rank)}"})

    def part(self, x: Tensor) -> Tensor:
        """This process's rows of a batch (n, …)."""
        each = len(x) // self.size
        return x[self.rank * each : (self.rank + 1) * each]

    def terms(
        self, objective: Objective, model: Autoencoder, conditions: Conditions | None = None
    ) -> Callable[[Tensor, Moment], Terms]:
        """``objective.terms`` of a part of a batch, whose backward pass averages the gradients over the processes.

        With `conditions` a batch is what `latentlab.models.conditions.packed` makes of it.
        """
        if self.size == 1:
            return lambda x, moment: objective.terms(*unpacked(model, conditions, x), moment)
        return nn.parallel.DistributedDataParallel(_Part(objective, model, conditions, self))

    def whole(self, terms: Terms) -> Terms:
        """The means over the whole batch: `Terms` of one row, to be recorded."""
        if self.size == 1:
            return terms
        rows = [terms.loss.detach().view(1), terms.distortion.detach().mean(0, keepdim=True)]
        if terms.rate is not None and terms.centred is not None:
            rows += [terms.rate.detach().mean(0), terms.centred.detach().mean(0)]
        flat = torch.cat(rows)
        distributed.all_reduce(flat)
        loss, distortion, *rest = (flat / self.size).split([len(row) for row in rows])
        return Terms(loss[0], distortion, *(each[None] for each in rest))

    def any(self, here: bool, device: str) -> bool:
        """Whether it is so in any of the processes."""
        if self.size == 1:
            return here
        flag = torch.tensor(float(here), device=device)
        distributed.all_reduce(flag)
        return bool(flag > 0)

    def wait(self) -> None:
        """Wait until every process has come here."""
        if self.size > 1:
            distributed.barrier()


class _Part(nn.Module):
    """An objective as a module's forward pass, which is what DDP wraps."""

    def __init__(self, objective: Objective, model: Autoencoder, conditions: Conditions | None, group: Group) -> None:
        super().__init__()
        self.objective, self.model, self.conditions, self.group = objective, model, conditions, group

    def forward(self, x: Tensor, moment: Moment) -> Terms:
        with Handed(self.draw):
            return self.objective.terms(*unpacked(self.model, self.conditions, x), moment)

    def draw(self, like: Tensor) -> Tensor:
        whole = like.new_empty(len(like) * self.group.size, *like.shape[1:]).normal_()
        return self.group.part(whole)


def _number(variable: str, default: int) -> int:
    """A whole number that torchrun sets; an `InputError` where something else set it to something else."""
    text = os.environ.get(variable, "") or str(default)
    if not re.fullmatch(r"\d{1,6}", text, re.ASCII):
        raise InputError(
            f"{variable} is {text[:40]!r}; expected a number, as torchrun sets; unset it to train in one process"
        )
    return int(text)


@contextmanager
def joined(config: RunConfig) -> Iterator[Group]:
    """The group that torchrun started this process in; a group of one where nothing did."""
    size, rank = _number("WORLD_SIZE", 1), _number("RANK", 0)
    if size == 1:
        yield Group()
        return
    batch = min(config.batch_size, config.rows)
    if batch % size:
        raise InputError(f"a batch has {batch} images; expected a multiple of {size}, the number of processes")
    if not build_objective(config.objective).additive:
        raise InputError(f"{config.objective['name']} couples the images of a batch; train it in one process")
    group = Group(rank, size)
    device = group.place(config.hardware).device
    if device.startswith("cuda"):
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield group
    finally:
        distributed.destroy_process_group()
