"""The plain autoencoder: reconstruction alone, through the bottleneck.

loss = E_x[−log p(x | f(x))]. Nothing shapes the latent space: it may have gaps, and there is no distribution to sample
from.
"""

from typing import ClassVar

from torch import Tensor

from latentlab.models import Model
from latentlab.training.objectives._objective import Moment, Objective, Terms


class AE(Objective):
    """Minimise the distortion of a deterministic code."""

    stochastic: ClassVar[bool] = False

    @property
    def additive(self) -> bool:
        """Whether the loss is a mean over images."""
        return True

    def terms(self, model: Model, x: Tensor, moment: Moment) -> Terms:
        """The terms of one batch: no rate."""
        distortion = -model.decode(model.encode(x).rsample()).log_prob(x)
        return Terms(distortion.mean(), distortion)


OBJECTIVE = AE
