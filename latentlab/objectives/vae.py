"""The variational autoencoder: the β-VAE at β = 1, whose loss is minus the ELBO. Kingma and Welling (2014)."""

from pydantic import Field

from latentlab.objectives.beta_vae import BetaVAE


class VAE(BetaVAE):
    """Minimise distortion + rate, which is −ELBO."""

    beta: float = Field(1.0, ge=1, le=1)


OBJECTIVE = VAE
