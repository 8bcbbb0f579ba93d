"""The β-TCVAE: of the three parts of the rate, only the total correlation is weighted.

E_x KL(q(z|x) ‖ p(z)) = I_q(z; x) + TC + Σ_j KL(q(z_j) ‖ p(z_j)), with TC = KL(q(z) ‖ Π_j q(z_j)): Chen et al. (2018),
equation 2. loss = E_q[−log p(x|z)] + I_q + β · TC + Σ_j KL(q(z_j) ‖ p(z_j)), equation 4 at α = γ = 1, the paper's own
choice; so loss = distortion + rate + (β − 1) · TC, the rate in closed form, and β = 1 is the VAE.

The aggregate q(z) = 1/N Σ_n q(z|x_n) is over the whole data set of N rows and is estimated from the batch
(``sampling``):

- ``weighted``: 1/(N M) Σ_m q(z|x_m) over the batch of M, equation 3. At M = N each logarithm is too low by log N, so TC
  is too high by (d − 1) log N. That constant has no gradient; in smaller batches the sample's own image weighs as much
  as any other, where its share of q(z) is 1/N, and that has one.
- ``stratified``: 1/N for the sample's own image and (N − 1)/(N (M − 1)) for each other, appendix C.2. Unbiased for
  q(z), its logarithm too low (Jensen); exact at M = N. The paper gives one of the others, drawn at random, a weight of
  its own; this is the mean over who that is, with the same expectation and less variance.
"""

import math
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.distributions import Normal

from latentlab.models import Model
from latentlab.training.objectives._objective import Moment, Objective, Terms, sampled

Sampling = Literal["weighted", "stratified"]


class BetaTCVAE(Objective):
    """Minimise distortion + rate + (β − 1) · TC, the total correlation of the aggregate posterior.

    Parameters
    ----------
    beta : float, default 6.0
        The weight of TC, at least 0; 1 is the VAE.
    sampling : {"stratified", "weighted"}
        How q(z) is estimated from the batch; the module's docstring has the formulas.

    References
    ----------
    Chen et al. (2018), Isolating Sources of Disentanglement in Variational Autoencoders, equations 3 and 4.

    Examples
    --------
    >>> BetaTCVAE(beta=4).sampling
    'stratified'
    """

    weights: ClassVar[tuple[str, ...]] = ("beta",)

    beta: float = Field(6.0, ge=0, le=1e6)
    sampling: Sampling = "stratified"

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
        weights = log_weights(len(x), moment.rows, self.sampling).to(batch.z)
        joint, marginals = log_aggregate(batch.posterior, batch.z, weights)
        correlation = (joint - marginals.sum(dim=1)).mean()
        return batch.terms((batch.distortion + batch.rate.sum(dim=1)).mean() + (self.beta - 1) * correlation)


def log_aggregate(posterior: Normal, z: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """log Σ_m w_m q(z|x_m) (n,) and log Σ_m w_m q(z_j|x_m) (n, d) of codes `z` (n, d).

    `posterior` holds m posteriors (m, d), `weights` (n, m) the logarithms of w for each code. It takes n · m · d
    numbers of memory.

    >>> one = Normal(torch.zeros(1, 2), torch.ones(1, 2))
    >>> joint, marginals = log_aggregate(one, torch.zeros(1, 2), torch.zeros(1, 1))
    >>> bool(torch.isclose(joint, marginals.sum(dim=1)))
    True
    """
    pairs = Normal(posterior.mean[None], posterior.stddev[None], validate_args=False).log_prob(z[:, None])
    joint = torch.logsumexp(pairs.sum(dim=2) + weights, dim=1)
    return joint, torch.logsumexp(pairs + weights[:, :, None], dim=1)


def log_weights(n: int, rows: int, sampling: Sampling) -> Tensor:
    """The logarithm of each batch member's weight in the aggregate, (n, n): a row for each sample."""
    if sampling == "weighted":
        return torch.full((n, n), -math.log(n * rows))
    others = (rows - 1) / (rows * (n - 1)) if n > 1 else 0.0
    return torch.full((n, n), others).fill_diagonal_(1 / rows).log()


OBJECTIVE = BetaTCVAE
