"""A run's decoder between codes and what is read off the images that it makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from latentlab.analysis.leakage.reader import Reader
from latentlab.data import Dataset
from latentlab.models import Model
from latentlab.models.autoencoder import device_of, form_of
from latentlab.models.conditions import given
from latentlab.models.decoding import BATCH
from latentlab.models.encoding import as_input

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Decoder:
    """A model with the samples that codes were made of, a reader, and which of its readings are asked for.

    ``places`` (n,) are where the rows of the codes stand in ``samples``, ``told`` what the model is told of each sample
    where it takes conditions: a swap keeps those of the base row.
    """

    model: Model
    samples: Dataset
    places: Ints
    reader: Reader
    kept: Sequence[int]
    told: torch.Tensor | None

    def read(self, codes: Floats, rows: Ints) -> list[Floats]:
        """What each factor is read as in the decoded codes (m, d) of rows at positions (m,)."""
        return self._judged(codes, rows, distortion=False)[1]

    def judge(self, codes: Floats, rows: Ints) -> tuple[Floats, list[Floats]]:
        """−log p(x|z) of the rows' own samples at these codes (m,), in nats, and the readings."""
        return self._judged(codes, rows, distortion=True)

    def _judged(self, codes: Floats, rows: Ints, *, distortion: bool) -> tuple[Floats, list[Floats]]:
        means, lost = [], []
        for start in range(0, len(codes), BATCH):
            places = self.places[rows[start : start + BATCH]]
            z = torch.from_numpy(codes[start : start + BATCH].astype(np.float32)).to(device_of(self.model))
            with torch.inference_mode():
                x = given(self.model, None if self.told is None else self.told[places]).decode(z)
                means.append(x.mean.float().cpu().numpy())
                if distortion:
                    lost.append(-x.log_prob(as_input(self.model, self.samples.read(places))).float().cpu().numpy())
        decoded = np.concatenate(means)
        readings = self.reader.read(form_of(self.model, decoded.shape[1:]).from_model(decoded))
        return np.concatenate([np.empty(0), *lost]), [readings[k] for k in self.kept]
