"""The InfoVAE: the aggregate posterior is held at the prior, the single posteriors only as much as you wish.

loss = E_q[−log p(x|z)] + (1 − α) · KL(q(z|x) ‖ p(z)) + (α + λ − 1) · MMD²(q(z), p(z)): Zhao et al. (2019), equation 6,
with the maximum mean discrepancy as its divergence (section 4.2). α = 0, λ = 1 is the VAE; α = 1 charges no rate, and
the code may say all it can about x as long as the codes together look like the prior. MMD² is of order 1, nats are not:
λ is large (the paper takes α = 0, λ = 1000).
"""

from typing import ClassVar

import torch
from pydantic import Field, ValidationInfo, field_validator
from torch import Tensor

from latentlab.models import Model
from latentlab.training.objectives._objective import Moment, Objective, Terms, sampled


class InfoVAE(Objective):
    """Minimise distortion + (1 − α) · rate + (α + λ − 1) · MMD².

    Parameters
    ----------
    alpha : float, default 0.0
        α, at most 1; at 1 no rate is charged.
    scale : float, default 1000.0
        λ, at least 1 − α.

    References
    ----------
    Zhao et al. (2019), InfoVAE: Balancing Learning and Inference in Variational Autoencoders, equation 6.

    Examples
    --------
    >>> InfoVAE().scale
    1000.0
    """

    weights: ClassVar[tuple[str, ...]] = ("alpha", "scale")

    alpha: float = Field(0.0, ge=-1e6, le=1)
    scale: float = Field(1000.0, ge=0, le=1e6)

    @field_validator("scale")
    @classmethod
    def _attracts(cls, scale: float, given: ValidationInfo) -> float:
        if scale < 1 - given.data.get("alpha", 0.0):
            raise ValueError("input should be at least 1 - alpha, or the MMD is pressed up")
        return scale

    def terms(self, model: Model, x: Tensor, moment: Moment) -> Terms:
        """The terms of one batch, with one posterior sample an image and as many of the prior.

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
        discrepancy = mmd(batch.z, torch.randn_like(batch.z))
        cost = (batch.distortion + (1 - self.alpha) * batch.rate.sum(dim=1)).mean()
        return batch.terms(cost + (self.alpha + self.scale - 1) * discrepancy)


def mmd(a: Tensor, b: Tensor) -> Tensor:
    """The squared maximum mean discrepancy () of two samples (n, d) and (m, d), at least 0; 0 for equal samples.

    MMD² = E k(a, a') − 2 E k(a, b) + E k(b, b') over all pairs, a point with itself included, which adds about 1/n +
    1/m without a gradient: Gretton et al. (2012), equation 5. k(u, v) = exp(−‖u − v‖² / 2d), for two draws from the
    prior lie √2d apart.

    >>> mmd(torch.zeros(4, 2), torch.zeros(3, 2))
    tensor(0.)
    """
    return _kernel(a, a).mean() - 2 * _kernel(a, b).mean() + _kernel(b, b).mean()


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    return torch.exp(-(a[:, None] - b[None]).square().mean(dim=2) / 2)


OBJECTIVE = InfoVAE
