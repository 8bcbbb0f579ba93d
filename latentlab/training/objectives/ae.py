"""The plain autoencoder: reconstruction alone, through the bottleneck.

loss = E_x[−log p(x | f(x))]. Nothing shapes the latent space: it may have gaps, and there is no distribution to sample
from.
"""

from typing import ClassVar

from torch import Tensor

from latentlab.models import Model
from latentlab.training.objectives._objective import Moment, Objective, Terms


class AE(Objective):
    """Minimise the distortion of a deterministic code, −log p(x | f(x)). It has no settings.

    References
    ----------
    Hinton and Salakhutdinov (2006), Reducing the Dimensionality of Data with Neural Networks.

    Examples
    --------
    >>> AE().stochastic
    False
    """

    stochastic: ClassVar[bool] = False

    @property
    def additive(self) -> bool:
        """Whether the loss is a mean over images."""
        return True

    def terms(self, model: Model, x: Tensor, moment: Moment) -> Terms:
        """The terms of one batch.

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
            Loss, distortion, in nats per example; there is no rate.
        """
        distortion = -model.decode(model.encode(x).rsample()).log_prob(x)
        return Terms(distortion.mean(), distortion)


OBJECTIVE = AE
