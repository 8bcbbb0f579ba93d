"""What may stand in the missing pixels of an image: approximate marginal inference of x (Kingma and Welling, 2014).

A Markov chain over codes and missing pixels together. In turn a code is proposed from the encoder, q(z|x) of the image
as it is filled now, and the missing pixels are drawn from the likelihood p(x|z) of the code. Rezende et al. (2014,
appendix F) take every proposed code, which is exact only where q is the true posterior; here it is taken with the
probability of Metropolis and Hastings (Mattei and Frellsen, 2018), so that what the chain settles at is the model's own
p(missing | observed), whatever the encoder.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import Distribution, Normal

from latentlab.codes.decodings import Decodings
from latentlab.data.dataset import Samples
from latentlab.errors import InputError
from latentlab.models import Model, Point
from latentlab.models.autoencoder import form_of
from latentlab.models.encoding import as_input

WARM_UP = 20  # steps that take every proposal: they find the neighbourhood of an image that starts as noise
STEPS = 40


def fill(model: Model, images: Samples, hidden: NDArray[np.bool_], *, draws: int = 8, seed: int = 0) -> Decodings:
    """Draws of what stands where samples (n, *shape) are hidden, given what is not: images (n, c, h, w) at (h, w).

    ``hidden`` has the axes of a sample, or all but its first: what is hidden in one channel is hidden in all.

    ``images`` of the answer (draws, n, c, h, w) are the likelihood's means at the chain's codes (draws, n, d), with the
    observed pixels as they were; ``originals`` the images as they came. ``settings`` has the chain's ``acceptance`` in
    [0, 1] of each image: near 0 the chains stand still, and their draws are not to be trusted. Every draw is the end of
    a chain of its own, for one chain seldom leaves the mode that it found. Under a Bernoulli likelihood the drawn
    pixels are bits, and grey observed pixels count as the means of bits.
    """
    if hidden.shape not in (images.shape[1:], images.shape[2:]):
        raise InputError(f"samples are {images.shape}, hidden is {hidden.shape}; expected the shape of one sample")
    if not hidden.any() or hidden.all():
        raise InputError(f"{int(hidden.sum())} of {hidden.size} values are hidden; expected some, and not all")
    with torch.inference_mode(), torch.random.fork_rng():
        torch.manual_seed(seed)
        x = as_input(model, images).repeat(draws, *[1] * (images.ndim - 1))
        mask = torch.from_numpy(hidden).to(x.device)
        chains = _Chains(model, x, mask)
        for _ in range(WARM_UP):
            chains.step(always=True)
        taken = torch.stack([chains.step(always=False) for _ in range(STEPS)]).mean(dim=0)
        filled = torch.where(mask, chains.likelihood.mean, x)
    acceptance = taken.reshape(draws, -1).mean(dim=0).tolist()
    settings = {"kind": "filling", "hidden": int(hidden.sum()), "acceptance": acceptance, "seed": seed}
    form = form_of(model, images.shape[1:])
    shaped = form.from_model(filled.float().cpu().numpy()).reshape(draws, *images.shape)
    return Decodings(shaped, chains.z.cpu().numpy().reshape(draws, len(images), -1), images, settings, form)


class _Chains:
    """One chain an image: ``z`` (n, d), its likelihood, and the image filled with a draw from it."""

    def __init__(self, model: Model, x: Tensor, mask: Tensor) -> None:
        self.model, self.observed, self.mask = model, x, mask
        self.x = torch.where(mask, torch.rand_like(x), x)
        self.z = self._posterior().mean
        self.likelihood = model.decode(self.z)

    def step(self, *, always: bool) -> Tensor:
        """Propose a code and take it or not, then draw the missing pixels again; which (n,) were taken, as 0 and 1."""
        q = self._posterior()
        z = q.rsample()
        likelihood = self.model.decode(z)
        new = self._joint(likelihood, z) - q.log_prob(z).sum(dim=1)
        old = self._joint(self.likelihood, self.z) - q.log_prob(self.z).sum(dim=1)
        taken = (torch.log(torch.rand_like(new)) < new - old) | always
        self.z = torch.where(taken[:, None], z, self.z)
        self.likelihood = self.model.decode(self.z)
        self.x = torch.where(self.mask, self.likelihood.sample(), self.observed)
        return taken.float()

    def _posterior(self) -> Normal:
        q = self.model.encode(self.x)
        if isinstance(q, Point):
            raise InputError("a deterministic encoder has no posterior q(z|x), so missing pixels cannot be sampled")
        return q

    def _joint(self, likelihood: Distribution, z: Tensor) -> Tensor:
        """log p(x, z) (n,) of the image as it is filled."""
        return likelihood.log_prob(self.x) - 0.5 * (z**2).sum(dim=1)
