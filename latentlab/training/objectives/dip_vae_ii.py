"""DIP-VAE II: the aggregate posterior's covariance is held at the identity.

As DIP-VAE I with C = Cov_q[z] = E_x[diag σ²(x)] + Cov_x[μ(x)]: Kumar et al. (2018), equation 7. A dimension that the
data do not need may have σ = 1 and μ = 0 at no cost. The paper takes λ_d = λ_od.
"""

from pydantic import Field
from torch import Tensor

from latentlab.training.objectives._objective import Sampled
from latentlab.training.objectives.dip_vae_i import DIPVAEI


class DIPVAEII(DIPVAEI):
    """Minimise distortion + rate + a penalty of Cov[z]: ``lambda_od`` ≥ 0 off its diagonal, ``lambda_d`` ≥ 0 on it."""

    lambda_d: float = Field(10.0, ge=0, le=1e6)

    def covariance(self, batch: Sampled) -> Tensor:
        """What is held at the identity, (d, d)."""
        return super().covariance(batch) + batch.posterior.variance.mean(dim=0).diag()


OBJECTIVE = DIPVAEII
