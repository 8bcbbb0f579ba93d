"""FactorVAE: a discriminator tells how far the aggregate posterior is from independent dimensions.

loss = E_q[−log p(x|z)] + KL(q(z|x) ‖ p(z)) + γ · TC with TC = KL(q(z) ‖ Π_j q(z_j)): Kim and Mnih (2018), equation 2.
TC ≈ E_q(z)[log D(z)/(1 − D(z))], equation 3, with D(z) the discriminator's probability that z comes from q(z) and not
from Π_j q(z_j); the latter is sampled by permuting each dimension over the batch (algorithm 1). After each step of the
model the discriminator takes its own (algorithm 2), on the same codes. The paper permutes those of a second batch;
permuting the same batch saves an encoding and repeats a pair of coordinates with probability 1/n.

The paper's γ is 35 on dSprites. With few steps the discriminator lags behind and TC is underestimated.
"""

from itertools import pairwise

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import softplus

from latentlab.models import Model
from latentlab.training.adam import Adam
from latentlab.training.objectives._objective import Critic, Moment, Objective, Terms, sampled

HIDDEN_LAYERS = 6  # the paper's appendix A: six of 1,000 units, leaky ReLU, Adam at 1e-4 with β = (0.5, 0.9)
LEARNING_RATE, BETAS = 1e-4, (0.5, 0.9)


class FactorVAE(Objective):
    """Minimise distortion + rate + γ · TC, the total correlation that a discriminator estimates.

    Parameters
    ----------
    gamma : float, default 35.0
        The weight of TC, at least 0.
    width : int, default 1000
        Units in each layer of the discriminator.

    References
    ----------
    Kim and Mnih (2018), Disentangling by Factorising, equations 2 and 3.

    Examples
    --------
    >>> FactorVAE(width=8).gamma
    35.0
    """

    gamma: float = Field(35.0, ge=0, le=1e6)
    width: int = Field(1000, ge=1, le=16384)

    def terms(self, model: Model, x: Tensor, moment: Moment) -> Terms:
        """The terms of one batch, with one posterior sample an image, and what the discriminator learns from it.

        Parameters
        ----------
        model : Model
            The model, as it is at that step.
        x : Tensor (n, *shape)
            Samples; images (n, c, h, w) in [0, 1].
        moment : Moment
            Where in training the batch comes, and the discriminator.

        Returns
        -------
        Terms
            Loss, distortion and rate, in nats per example; and the discriminator's loss.

        Raises
        ------
        TypeError
            Where the moment has no discriminator.
        """
        if moment.critic is None:
            raise TypeError("factor-vae needs the discriminator that its critic() makes, in Moment.critic")
        discriminator = moment.critic.network
        batch = sampled(model, x)
        correlation = log_ratio(discriminator, batch.z).mean()
        codes = batch.z.detach()
        mistakes = softplus(-log_ratio(discriminator, codes)) + softplus(log_ratio(discriminator, permuted(codes)))
        loss = (batch.distortion + batch.rate.sum(dim=1)).mean() + self.gamma * correlation
        return batch.terms(loss, 0.5 * mistakes.mean())

    def critic(self, latent_dim: int, device: torch.device | str) -> Critic:
        """The discriminator, codes (n, d) to log-odds (n, 1), and its Adam.

        Parameters
        ----------
        latent_dim : int
            d, the number of latent dimensions.
        device : device or str
            Where it computes.

        Returns
        -------
        Critic
            The network and its optimizer.
        """
        layers: list[nn.Module] = []
        for before, after in pairwise([latent_dim, *[self.width] * HIDDEN_LAYERS]):
            layers += [nn.Linear(before, after), nn.LeakyReLU(0.2)]
        network = nn.Sequential(*layers, nn.Linear(self.width, 1)).to(device)
        return Critic(network, Adam(network.parameters(), lr=LEARNING_RATE, betas=BETAS, fused=True))


def log_ratio(discriminator: nn.Module, z: Tensor) -> Tensor:
    """The discriminator's estimate of log q(z)/Π_j q(z_j) (n,): positive where dimensions occur together."""
    found: Tensor = discriminator(z).squeeze(1).float()
    return found


def permuted(z: Tensor) -> Tensor:
    """Codes (n, d) with each dimension's values in an order of its own: equal marginals, independent dimensions."""
    return z.gather(0, torch.rand(z.shape, device=z.device).argsort(dim=0))


OBJECTIVE = FactorVAE
