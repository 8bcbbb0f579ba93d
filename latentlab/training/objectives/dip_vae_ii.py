"""DIP-VAE II: the aggregate posterior's covariance is held at the identity.

As DIP-VAE I with C = Cov_q[z] = E_x[diag σ²(x)] + Cov_x[μ(x)]: Kumar et al. (2018), equation 7. A dimension that the
data do not need may have σ = 1 and μ = 0 at no cost. The paper takes λ_d = λ_od.
"""

from pydantic import Field
from torch import Tensor

from latentlab.training.objectives._objective import Sampled
from latentlab.training.objectives.dip_vae_i import DIPVAEI


class DIPVAEII(DIPVAEI):
    """Minimise distortion + rate + a penalty of Cov[z], the covariance of the aggregate posterior.

    Parameters
    ----------
    lambda_od : float, default 10.0
        The weight of what is off the diagonal, at least 0.
    lambda_d : float, default 10.0
        The weight of the diagonal's distance from 1, at least 0.

    References
    ----------
    Kumar et al. (2018), Variational Inference of Disentangled Latent Concepts from Unlabeled Observations, equation 7.

    Examples
    --------
    >>> DIPVAEII().lambda_d
    10.0
    """

    lambda_d: float = Field(10.0, ge=0, le=1e6)

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
        return super().covariance(batch) + batch.posterior.variance.mean(dim=0).diag()


OBJECTIVE = DIPVAEII
