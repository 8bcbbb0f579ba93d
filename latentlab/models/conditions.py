"""Conditions: categorical columns, as ones and zeros, that a model's decoder is told beside the code.

Its encoder is told them too where that was asked for. A model that is told nothing passes through here as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Normal

from latentlab.data import Dataset, at_levels, one_hot
from latentlab.errors import InputError
from latentlab.models.autoencoder import Point
from latentlab.runs.config import Conditions


class Told(Protocol):
    """A model that takes conditions (n, k) beside its input: ``encode(x, condition)``, ``decode(z, condition)``."""

    latent_dim: int

    def encode(self, x: Tensor, condition: Tensor) -> Normal | Point:
        """q(z|x, c)."""

    def decode(self, z: Tensor, condition: Tensor) -> Distribution:
        """p(x|z, c)."""


class At(nn.Module):
    """A model that is told conditions, as a `Model`: ``told`` (m, k) is what it is told.

    Of more rows than m, which is one or divides their number, the conditions repeat: so draws (s, m, d) of each row,
    flattened, meet their own.
    """

    def __init__(self, model: Any, conditions: Conditions, told: Tensor) -> None:
        super().__init__()
        self.model, self.conditions, self.told = model, conditions, told
        self.latent_dim = model.latent_dim
        self.form = getattr(model, "form", None)

    @property
    def encodes(self) -> bool:
        """Whether there is an encoder."""
        return bool(getattr(self.model, "encodes", True))

    @property
    def decodes(self) -> bool:
        """Whether there is a decoder."""
        return bool(getattr(self.model, "decodes", True))

    def encode(self, x: Tensor) -> Normal | Point:
        """q(z|x), or q(z|x, c) where the encoder is told the conditions too."""
        found: Normal | Point
        found = self.model.encode(x, self._rows(x)) if self.conditions.encoder else self.model.encode(x)
        return found

    def decode(self, z: Tensor) -> Distribution:
        """p(x|z, c)."""
        found: Distribution = self.model.decode(z, self._rows(z))
        return found

    @property
    def levels(self) -> dict[str, str]:
        """The level of each column by name, where all rows are told the same."""
        parts = self.told[0].split([len(column.levels) for column in self.conditions.columns])
        named = zip(self.conditions.columns, parts, strict=True)
        return {column.name: column.levels[int(part.argmax())] for column, part in named}

    def _rows(self, like: Tensor) -> Tensor:
        if len(like) % len(self.told):
            raise InputError(f"{len(like)} rows were given {len(self.told)} conditions; expected one each, or one")
        return self.told.to(like.device).repeat(len(like) // len(self.told), 1)


def at_level(model: Any, conditions: Conditions | None, chosen: Mapping[str, str] | None = None) -> Any:
    """The model at the chosen level of each column, at the one that most training rows have where none is chosen."""
    if conditions is None:
        if chosen:
            raise InputError(f"the model was trained without conditions; leave {next(iter(chosen))[:40]}= out")
        return model
    known = {column.name: column.usual for column in conditions.columns}
    if unknown := next((name for name in chosen or {} if name not in known), ""):
        raise InputError(f"the model is not told {unknown[:40]!r}; it is told: {', '.join(known)[:80]}")
    told = at_levels(conditions.columns, known | dict(chosen or {}))
    return At(model.model if isinstance(model, At) else model, conditions, torch.from_numpy(told))


def told_of(model: Any, data: Dataset) -> Tensor | None:
    """What the model is told of each row of `data`, (n, k); None where it is told nothing."""
    return torch.from_numpy(one_hot(data, model.conditions.columns)) if isinstance(model, At) else None


def given(model: Any, told: Tensor | None) -> Any:
    """The model as it is told that; as it was where nothing is told."""
    return At(model.model, model.conditions, told) if told is not None and isinstance(model, At) else model


def packed(x: Tensor, told: Tensor) -> Tensor:
    """Samples (n, *shape) and what is told of them (n, k), as one tensor (n, numbers + k)."""
    return torch.cat([x.flatten(1), told], dim=1)


def unpacked(model: Any, conditions: Conditions | None, x: Tensor) -> tuple[Any, Tensor]:
    """The model as it is told what `packed` joined, and the samples."""
    if conditions is None:
        return model, x
    told = x[:, -conditions.width :]
    return At(model, conditions, told), x[:, : -conditions.width].unflatten(1, model.form.shape)
