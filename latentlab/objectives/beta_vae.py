"""The β-VAE, of which the VAE is β = 1.

loss = E_q[−log p(x|z)] + β · KL(q(z|x) ‖ N(0, I)), z = μ + σ·ε with ε ~ N(0, I): Higgins et al. (2017), equation 4;
Kingma and Welling (2014), equation 10 for β = 1. β > 1 presses the code small and favours independent dimensions.
"""

from pydantic import Field
from torch import Tensor

from latentlab.models import Model
from latentlab.objectives._objective import Objective, Terms, gaussian_rate


class BetaVAE(Objective):
    """Minimise distortion + β · rate."""

    beta: float = Field(4.0, ge=0, le=1e6)

    def terms(self, model: Model, x: Tensor, step: int) -> Terms:
        """The terms of one batch, with one posterior sample an image."""
        posterior = model.encode(x)
        distortion = -model.decode(posterior.rsample()).log_prob(x)
        rate, centred = gaussian_rate(posterior)
        return Terms((distortion + self.beta * rate.sum(dim=1)).mean(), distortion, rate, centred)


OBJECTIVE = BetaVAE
