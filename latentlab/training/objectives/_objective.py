"""What an objective is, what it returns, and the closed form that all of them share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.distributions import Normal

from latentlab.models import Model, Point
from latentlab.system.registry import load
from latentlab.system.validation import Frozen, validate


@dataclass(frozen=True, slots=True)
class Critic:
    """A network that an objective trains beside the model, and the optimizer of its own that it learns with.

    Parameters
    ----------
    network : module
        The network.
    optimizer : Optimizer
        Of the network's weights.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer

    def learn(self, loss: Tensor) -> None:
        """One step down a loss; gradients that the model's loss left on the network are dropped first.

        Parameters
        ----------
        loss : Tensor ()
            Of the critic.
        """
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()


@dataclass(frozen=True, slots=True)
class Moment:
    """Where in training a batch comes.

    Parameters
    ----------
    step : int
        The step, counted from 0.
    rows : int
        How many rows the data set has.
    critic : Critic, optional
        What `Objective.critic` made at the start, None for an objective without one.

    Examples
    --------
    >>> Moment(step=0, rows=100).critic is None
    True
    """

    step: int
    rows: int
    critic: Critic | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """One batch of n samples under an objective, in nats per example.

    The ELBO is −(distortion + rate), whatever the objective is.

    Parameters
    ----------
    loss : Tensor ()
        What is minimised, β included.
    distortion : Tensor (n,)
        −log p(x|z) at one posterior sample.
    rate : Tensor (n, d), optional
        KL(q ‖ p) per latent dimension, None without a posterior variance.
    centred : Tensor (n, d), optional
        The part ½μ² of the rate, which pulls the means to the centre. The rest, ½(σ² − 1 − log σ²), keeps the variances
        regular.
    critic_loss : Tensor (), optional
        What the critic's own step goes down, None where there is no critic.
    """

    loss: Tensor
    distortion: Tensor
    rate: Tensor | None = None
    centred: Tensor | None = None
    critic_loss: Tensor | None = None


class Objective(Frozen):
    """An objective and its settings, which are the fields of its class.

    Attributes
    ----------
    stochastic : bool
        Whether the encoder gives a variance as well as a mean.
    weights : tuple of str
        Settings that are plain factors or summands of the loss: members that differ in them alone may be trained
        together, with a tensor in the setting's place.
    """

    stochastic: ClassVar[bool] = True
    weights: ClassVar[tuple[str, ...]] = ()

    @property
    def additive(self) -> bool:
        """Whether the loss is a mean over images, so that a batch may be split over several devices."""
        return False

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
            Loss, distortion and rate, in nats per example.
        """
        raise NotImplementedError

    def critic(self, latent_dim: int, device: torch.device | str) -> Critic | None:
        """What is trained beside the model: nothing, unless an objective says so.

        Parameters
        ----------
        latent_dim : int
            d, the number of latent dimensions.
        device : device or str
            Where it computes.

        Returns
        -------
        Critic or None
            The network and its optimizer.
        """
        return None


@dataclass(frozen=True, slots=True)
class Sampled:
    """A batch through a stochastic autoencoder, with one posterior sample an image.

    ``posterior`` is q(z|x), ``z`` (n, d) the sample; ``distortion`` (n,), ``rate`` and ``centred`` (n, d) are `Terms`'.
    """

    posterior: Normal
    z: Tensor
    distortion: Tensor
    rate: Tensor
    centred: Tensor

    def terms(self, loss: Tensor, critic_loss: Tensor | None = None) -> Terms:
        """The `Terms` of this batch under that loss ()."""
        return Terms(loss, self.distortion, self.rate, self.centred, critic_loss)


def sampled(model: Model, x: Tensor) -> Sampled:
    """Encode, sample, decode: what every stochastic objective begins with."""
    posterior = _gaussian(model.encode(x))
    z = posterior.rsample()
    distortion = -model.decode(z).log_prob(x)
    return Sampled(posterior, z, distortion, *gaussian_rate(posterior))


def ramp(step: int, over: int) -> float:
    """0 at step 0, rising linearly to 1 at step `over` and staying there; 1 throughout where `over` is 0.

    >>> [ramp(step, 4) for step in (0, 1, 4, 9)]
    [0.0, 0.25, 1.0, 1.0]
    """
    return min(1.0, step / over) if over else 1.0


def gaussian_rate(posterior: Normal | Point) -> tuple[Tensor, Tensor]:
    """KL(N(μ, σ²) ‖ N(0, 1)) per latent dimension, ½(μ² + σ² − 1 − log σ²).

    Parameters
    ----------
    posterior : Normal
        q(z|x), with means and standard deviations (n, d).

    Returns
    -------
    rate : Tensor (n, d)
        In nats, at least 0; 0 only where q is the prior.
    centred : Tensor (n, d)
        Its part ½μ².

    Raises
    ------
    TypeError
        For the posterior of a deterministic encoder, which has no rate.

    References
    ----------
    Kingma and Welling (2014), Auto-Encoding Variational Bayes, appendix B.

    Examples
    --------
    >>> gaussian_rate(Normal(torch.tensor([[1.0]]), torch.tensor([[1.0]])))[0]
    tensor([[0.5000]])
    """
    found = _gaussian(posterior)
    mean, scale = found.mean, found.stddev
    centred = 0.5 * mean.square()
    return centred + 0.5 * (scale.square() - 1) - torch.log(scale), centred


def _gaussian(posterior: Normal | Point) -> Normal:
    if isinstance(posterior, Point):
        raise TypeError("a deterministic encoder's posterior has no rate")
    return posterior


def build_objective(settings: Mapping[str, Any]) -> Objective:
    """The objective that a name and settings describe.

    Parameters
    ----------
    settings : mapping
        ``{"name": "beta-vae", "beta": 4.0}``.

    Returns
    -------
    Objective
        With defaults for the settings that are left out.

    Raises
    ------
    InputError
        For an unknown name, an unknown setting and a value out of range.

    Examples
    --------
    >>> build_objective({"name": "beta-vae", "beta": 2}).beta
    2.0
    """
    given = dict(settings)
    name = given.pop("name")
    kind = load("training/objectives", name).OBJECTIVE
    found: Objective = validate(kind, given, f"objective {name}")
    return found
