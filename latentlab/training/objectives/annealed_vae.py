"""The β-VAE with a capacity that grows: the rate is held at C, and C is let up slowly.

loss = E_q[−log p(x|z)] + γ · |E_x KL(q(z|x) ‖ N(0, I)) − C(step)|: Burgess et al. (2018), equation 8. C rises linearly
from 0 to ``capacity`` nats over ``anneal_steps`` and stays. Dimensions open one after another, the ones that lower the
distortion most first; with γ large the rate is what you ask for. The paper takes γ = 1000 and lets C reach 25 nats in
100,000 steps. Held to the batch's mean rate, for capacity is a property of the channel, not of one image.
"""

from typing import ClassVar

from pydantic import Field
from torch import Tensor

from latentlab.models import Model
from latentlab.training.objectives._objective import Moment, Objective, Terms, ramp, sampled


class AnnealedVAE(Objective):
    """Minimise distortion + γ |rate − C|.

    Parameters
    ----------
    gamma : float, default 1000.0
        The weight of the distance, at least 0.
    capacity : float, default 25.0
        C in nats, at least 0.
    anneal_steps : int, default 10,000
        Over how many steps C rises linearly from 0; at once where it is 0.

    References
    ----------
    Burgess et al. (2018), Understanding disentangling in β-VAE, equation 8.

    Examples
    --------
    >>> AnnealedVAE().capacity
    25.0
    """

    weights: ClassVar[tuple[str, ...]] = ("gamma", "capacity")

    gamma: float = Field(1000.0, ge=0, le=1e6)
    capacity: float = Field(25.0, ge=0, le=1e4)
    anneal_steps: int = Field(10_000, ge=0, le=10**9)

    def terms(self, model: Model, x: Tensor, moment: Moment) -> Terms:
        """The terms of one batch, with one posterior sample an image.

        Parameters
        ----------
        model : Model
            The model, as it is at that step.
        x : Tensor (n, *shape)
            Samples; images (n, c, h, w) in [0, 1].
        moment : Moment
            Where in training the batch comes.

        Returns
        -------
        Terms
            Loss, distortion and rate, in nats per example.
        """
        batch = sampled(model, x)
        wanted = self.capacity * ramp(moment.step, self.anneal_steps)
        return batch.terms(batch.distortion.mean() + self.gamma * (batch.rate.sum(dim=1).mean() - wanted).abs())


OBJECTIVE = AnnealedVAE
