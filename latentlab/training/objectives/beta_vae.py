"""The β-VAE, of which the VAE is β = 1.

loss = E_q[−log p(x|z)] + β · KL(q(z|x) ‖ N(0, I)), z = μ + σ·ε with ε ~ N(0, I): Higgins et al. (2017), equation 4;
Kingma and Welling (2014), equation 10 for β = 1. β > 1 presses the code small and favours independent dimensions.

Two ways to keep dimensions from closing before they were of use:

- ``warmup_steps``: the rate's weight rises linearly from 0 to β over that many steps. Bowman et al. (2016), section
  3.1; Sønderby et al. (2016), section 2.3.
- ``free_bits``: every dimension's rate, mean over the batch, is charged as at least this many nats, so that below it
  nothing pulls the dimension shut. Kingma et al. (2016), equation 15 (λ there).
"""

from typing import ClassVar

from pydantic import Field
from torch import Tensor

from latentlab.models import Model
from latentlab.training.objectives._objective import Moment, Objective, Terms, ramp, sampled


class BetaVAE(Objective):
    """Minimise distortion + β · rate.

    Parameters
    ----------
    beta : float, default 4.0
        The weight of the rate, at least 0; 1 is the VAE.
    warmup_steps : int, default 0
        Over how many steps the rate's weight rises linearly from 0 to β; off at 0.
    free_bits : float, default 0.0
        Nats that every dimension's rate, the mean over the batch, is charged as at least; off at 0.

    References
    ----------
    Higgins et al. (2017), β-VAE, equation 4. Bowman et al. (2016), Generating Sentences from a Continuous Space,
    section 3.1. Kingma et al. (2016), Improved Variational Inference with Inverse Autoregressive Flow, equation 15.

    Examples
    --------
    >>> BetaVAE(free_bits=0.5).additive
    False
    """

    weights: ClassVar[tuple[str, ...]] = ("beta",)

    beta: float = Field(4.0, ge=0, le=1e6)
    warmup_steps: int = Field(0, ge=0, le=10**9)
    free_bits: float = Field(0.0, ge=0, le=1e3)

    @property
    def additive(self) -> bool:
        """Whether the loss is a mean over images: free bits look at the whole batch."""
        return not self.free_bits

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
        weight = self.beta * ramp(moment.step, self.warmup_steps)
        return batch.terms((batch.distortion + weight * self.charged(batch.rate)).mean())

    def charged(self, rate: Tensor) -> Tensor:
        """What of the rate the loss counts.

        Parameters
        ----------
        rate : Tensor (n, d)
            In nats per latent dimension.

        Returns
        -------
        Tensor (n,) or ()
            Its sum over dimensions, or with free bits the mean with no dimension below the floor.
        """
        return rate.mean(dim=0).clamp(min=self.free_bits).sum() if self.free_bits else rate.sum(dim=1)


OBJECTIVE = BetaVAE
