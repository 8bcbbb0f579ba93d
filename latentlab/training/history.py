"""``history.jsonl`` as it grows: what a training logs, and where it notices that the loss is not a number any more."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from latentlab.errors import InputError
from latentlab.runs.history import read_history
from latentlab.runs.identity import TRAINING, check_own, identity
from latentlab.runs.run import Run
from latentlab.system.files import check_held, write_bytes
from latentlab.training.objectives import Terms


class DivergedError(Exception):
    """A loss or a weight is not a finite number."""


def added(sums: Mapping[str, Tensor], means: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Sums with one step's means; an `InputError` where those of a checkpoint are not what such a step has."""
    if not sums:
        return {key: value.clone() for key, value in means.items()}
    if {key: value.shape for key, value in sums.items()} != {key: value.shape for key, value in means.items()}:
        raise InputError("training.safetensors belongs to another training; restore it or retrain the run")
    return {key: sums[key].to(value) + value for key, value in means.items()}


class History:
    """``history.jsonl``: a line a logged step, each the mean over the steps since the line before.

    ``sums`` are what a checkpoint at step ``first`` kept of the steps since the last line before it.
    """

    def __init__(self, run: Run, first: int, sums: Mapping[str, Tensor] | None = None, *, writes: bool = True) -> None:
        self.path = run.path / "history.jsonl"
        kept = [line for line in self._before() if line["step"] <= first]
        kept = [line for line in kept if "diverged" not in line]
        if writes:
            write_bytes(self.path, "".join(json.dumps(line) + "\n" for line in kept).encode())
        self.training = "" if kept else identity(run.path / "config.json")
        self.file = (self.path if writes else Path(os.devnull)).open("a", encoding="utf-8")
        self.sums: dict[str, Tensor] = dict(sums or {})
        self.count, self.step = first % run.config.log_every if sums else 0, first

    def _before(self) -> list[dict[str, Any]]:
        """The lines that are there already."""
        if not self.path.is_file():
            return []
        check_own(self.path)
        return read_history(self.path)

    def add(self, terms: Terms) -> None:
        """Add one step: what its terms come to over the batch."""
        found = {"loss": terms.loss.detach(), "distortion": terms.distortion.detach().mean()}
        if terms.rate is not None and terms.centred is not None:
            found["rate_per_dimension"] = terms.rate.detach().mean(dim=0)
            found["rate_mean_part"] = terms.centred.detach().mean(dim=0)
        self.take(found)

    def take(self, means: Mapping[str, Tensor]) -> None:
        """Add one step's means over its batch."""
        self.sums = added(self.sums, means)
        self.count, self.step = self.count + 1, self.step + 1

    def log(self, step: int) -> dict[str, Any]:
        """Write the means since the line before and begin again; a loss that is not finite is a `DivergedError`."""
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
        """Write that, and why, the training ended here."""
        self._write({"step": self.step, "diverged": why})

    def _write(self, line: dict[str, Any]) -> None:
        """Append a line; the first one of the file names the training."""
        check_held(self.path.parent)
        if self.training:
            line, self.training = {**line, TRAINING: self.training}, ""
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()

    def close(self) -> None:
        """Close the file."""
        self.file.close()
