"""DIP-VAE I: the posterior means are decorrelated, and their variances held at 1.

loss = −ELBO + λ_od Σ_{i≠j} C_ij² + λ_d Σ_i (C_ii − 1)² with C = Cov_x[μ(x)], estimated on the batch: Kumar et al.
(2018), equation 6. The paper takes λ_d = 10 λ_od. Holding the means' variances at 1 keeps every dimension in use, also
those that the data do not need: where there are more dimensions than factors set ``lambda_d`` low, or take DIP-VAE II.
"""

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from latentlab.models import Model
from latentlab.training.objectives._objective import Moment, Objective, Sampled, Terms, sampled


class DIPVAEI(Objective):
    """Minimise distortion + rate + a penalty of Cov[μ], the covariance of the posterior means.

    Parameters
    ----------
    lambda_od : float, default 10.0
        The weight of what is off the diagonal, at least 0.
    lambda_d : float, default 100.0
        The weight of the diagonal's distance from 1, at least 0.

    References
    ----------
    Kumar et al. (2018), Variational Inference of Disentangled Latent Concepts from Unlabeled Observations, equation 6.

    Examples
    --------
    >>> DIPVAEI().lambda_d
    100.0
    """

    weights: ClassVar[tuple[str, ...]] = ("lambda_od", "lambda_d")

    lambda_od: float = Field(10.0, ge=0, le=1e6)
    lambda_d: float = Field(100.0, ge=0, le=1e6)

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
        penalty = covariance_penalty(self.covariance(batch), self.lambda_od, self.lambda_d)
        return batch.terms((batch.distortion + batch.rate.sum(dim=1)).mean() + penalty)

    def covariance(self, batch: Sampled) -> Tensor:
        """What is held at the identity.

        Parameters
        ----------
        batch : Sampled
            A batch of n samples through the model.

        Returns
        -------
        Tensor (d, d)
            A covariance.
        """
        return covariance(batch.posterior.mean)


def covariance(values: Tensor) -> Tensor:
    """The covariance (d, d) of the rows of `values` (n, d), its sum divided by n."""
    centred = values - values.mean(dim=0)
    with torch.autocast(values.device.type, enabled=False):  # eight bits of mantissa are too few for a penalty
        return centred.T @ centred / len(values)


def covariance_penalty(found: Tensor, lambda_od: float, lambda_d: float) -> Tensor:
    """λ_od Σ_{i≠j} C_ij² + λ_d Σ_i (C_ii − 1)² (): 0 at the identity alone.

    >>> covariance_penalty(torch.eye(3), 10.0, 100.0)
    tensor(0.)
    """
    diagonal = found.diagonal()
    off = found - torch.diag(diagonal)
    return lambda_od * off.square().sum() + lambda_d * (diagonal - 1).square().sum()


OBJECTIVE = DIPVAEI
