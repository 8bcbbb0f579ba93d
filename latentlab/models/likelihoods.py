"""Likelihoods p(x|z) of images in [0, 1], from the decoder's outputs (n, c, h, w).

Grey levels under a Bernoulli likelihood are means of bits, not data it gives probability to: its value is then not a
normalised log-likelihood, though its gradient is sound. Gaussian values are densities and not comparable to it.
"""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, Laplace, Normal


class BernoulliLikelihood(nn.Module):
    """Independent pixels, Bernoulli with the outputs as logits. Grey pixels are taken as means of bits."""

    def forward(self, outputs: Tensor) -> Distribution:
        """p(x|z) with the image as one event."""
        return Independent(Bernoulli(logits=outputs, validate_args=False), 3, validate_args=False)


class GaussianLikelihood(nn.Module):
    """Independent pixels, Gaussian around the outputs; one σ for all, fixed or learned (Rybkin et al., 2021)."""

    def __init__(self, sigma: float, *, learned: bool) -> None:
        super().__init__()
        start = torch.tensor(math.log(sigma))
        if learned:
            self.log_sigma = nn.Parameter(start)
        else:
            self.register_buffer("log_sigma", start, persistent=False)

    def forward(self, outputs: Tensor) -> Distribution:
        """p(x|z) with the image as one event."""
        scale = self.log_sigma.exp().expand_as(outputs)
        return Independent(Normal(outputs, scale, validate_args=False), 3, validate_args=False)


class SquashedLikelihood(nn.Module):
    """Independent pixels around the sigmoid of the outputs, of one fixed scale.

    So does a decoder assume that ends in a sigmoid and was trained on squared errors (Gaussian) or absolute (Laplace).
    """

    def __init__(self, kind: type[Normal] | type[Laplace], scale: float) -> None:
        super().__init__()
        self.kind, self.scale = kind, scale

    def forward(self, outputs: Tensor) -> Distribution:
        """p(x|z) with the image as one event."""
        return Independent(self.kind(torch.sigmoid(outputs), self.scale, validate_args=False), 3, validate_args=False)


LIKELIHOODS: Mapping[str, Callable[[float], nn.Module]] = {
    "bernoulli": lambda sigma: BernoulliLikelihood(),
    "gaussian": lambda sigma: GaussianLikelihood(sigma, learned=False),
    "gaussian-learned": lambda sigma: GaussianLikelihood(sigma, learned=True),
    "gaussian-sigmoid": lambda sigma: SquashedLikelihood(Normal, sigma),
    "laplace-sigmoid": lambda sigma: SquashedLikelihood(Laplace, sigma),
}
