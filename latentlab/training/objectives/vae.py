"""The variational autoencoder: the β-VAE at β = 1. Kingma and Welling (2014), equation 10.

Its loss is minus the ELBO, once a warm-up is over and but for free bits where these are asked for.
"""

from pydantic import Field

from latentlab.training.objectives.beta_vae import BetaVAE


class VAE(BetaVAE):
    """Minimise distortion + rate, which is −ELBO. ``beta`` is 1."""

    beta: float = Field(1.0, ge=1, le=1)


OBJECTIVE = VAE
