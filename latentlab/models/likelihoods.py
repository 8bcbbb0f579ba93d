"""Likelihoods p(x|z) of samples, from the decoder's outputs (n, *shape): all axes of a sample are one event.

Grey levels under a Bernoulli likelihood are means of bits, not data it gives probability to: its value is then not a
normalised log-likelihood, though its gradient is sound. Gaussian values are densities of the model's input, so they
depend on its scale, and are not comparable to it.
"""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, Laplace, Normal

from latentlab.data.kinds import Form
from latentlab.models.columns import PerColumn
from latentlab.models.counted import CountLikelihood


def one_event(found: Distribution) -> Independent:
    """A distribution of single numbers (n, *shape) as one of samples (n,)."""
    return Independent(found, len(found.batch_shape) - 1, validate_args=False)


class BernoulliLikelihood(nn.Module):
    """Independent numbers, Bernoulli with the outputs as logits. Between 0 and 1 they are taken as means of bits."""

    def forward(self, outputs: Tensor) -> Distribution:
        """p(x|z) with the sample as one event."""
        return one_event(Bernoulli(logits=outputs, validate_args=False))


class GaussianLikelihood(nn.Module):
    """Independent numbers, Gaussian around the outputs.

    ``sigma`` is one for all, fixed or learned (Rybkin et al., 2021), or learned for each entry of the sample's first
    axis: ``of`` of them.
    """

    def __init__(self, sigma: float, *, learned: bool, of: int = 0, ndim: int = 1) -> None:
        super().__init__()
        start = torch.full((of, *[1] * (ndim - 1)), math.log(sigma)) if of else torch.tensor(math.log(sigma))
        if learned:
            self.log_sigma = nn.Parameter(start)
        else:
            self.register_buffer("log_sigma", start, persistent=False)

    def forward(self, outputs: Tensor) -> Distribution:
        """p(x|z) with the sample as one event."""
        return one_event(Normal(outputs, self.log_sigma.exp().expand_as(outputs), validate_args=False))


class SquashedLikelihood(nn.Module):
    """Independent numbers around the sigmoid of the outputs, of one fixed scale.

    So does a decoder assume that ends in a sigmoid and was trained on squared errors (Gaussian) or absolute (Laplace).
    """

    def __init__(self, kind: type[Normal] | type[Laplace], scale: float) -> None:
        super().__init__()
        self.kind, self.scale = kind, scale

    def forward(self, outputs: Tensor) -> Distribution:
        """p(x|z) with the sample as one event."""
        return one_event(self.kind(torch.sigmoid(outputs), self.scale, validate_args=False))


LIKELIHOODS: Mapping[str, Callable[[Form, float], nn.Module]] = {
    "bernoulli": lambda form, sigma: BernoulliLikelihood(),
    "gaussian": lambda form, sigma: GaussianLikelihood(sigma, learned=False),
    "gaussian-learned": lambda form, sigma: GaussianLikelihood(sigma, learned=True),
    "gaussian-channels": lambda form, sigma: GaussianLikelihood(
        sigma, learned=True, of=form.shape[0], ndim=len(form.shape)
    ),
    "gaussian-sigmoid": lambda form, sigma: SquashedLikelihood(Normal, sigma),
    "per-column": PerColumn,
    "negative-binomial": lambda form, sigma: CountLikelihood(form, dispersed=True),
    "poisson": lambda form, sigma: CountLikelihood(form, dispersed=False),
    "laplace-sigmoid": lambda form, sigma: SquashedLikelihood(Laplace, sigma),
}
