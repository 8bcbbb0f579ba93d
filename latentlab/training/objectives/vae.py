"""The variational autoencoder: the β-VAE at β = 1. Kingma and Welling (2014), equation 10.

Its loss is minus the ELBO, once a warm-up is over and but for free bits where these are asked for.
"""

from pydantic import Field

from latentlab.training.objectives.beta_vae import BetaVAE


class VAE(BetaVAE):
    """Minimise distortion + rate, which is −ELBO.

    Parameters
    ----------
    beta : float, default 1.0
        The weight of the rate, which is 1.
    warmup_steps : int, default 0
        Over how many steps the rate's weight rises linearly from 0; off at 0.
    free_bits : float, default 0.0
        Nats that every dimension's rate, the mean over the batch, is charged as at least; off at 0.

    References
    ----------
    Kingma and Welling (2014), Auto-Encoding Variational Bayes, equation 10.

    Examples
    --------
    >>> VAE().beta
    1.0
    """

    beta: float = Field(1.0, ge=1, le=1)


OBJECTIVE = VAE
