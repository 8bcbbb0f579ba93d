"""Anyone's encoder and decoder as a `Model`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, Laplace, Normal

from latentlab.errors import InputError
from latentlab.models.autoencoder import Point

Part = Callable[..., Any]
Family = Literal["bernoulli", "gaussian", "laplace"]


class Wrapped(nn.Module):
    """What `wrap` returns: a `Model` whose weights are those of the wrapped modules, under their own names.

    Parameters
    ----------
    encoder, decoder, latent_dim, sigma, logits
        As `wrap` takes them.
    family : str
        The likelihood.
    """

    def __init__(
        self, encoder: Part | None, decoder: Part | None, latent_dim: int, family: Family, sigma: float, logits: bool
    ) -> None:
        super().__init__()
        self.latent_dim, self.family, self.sigma, self.logits = latent_dim, family, sigma, logits
        self._encoder, self._decoder = (encoder,), (decoder,)  # in tuples: a module set as an attribute is a child
        owners = [getattr(part, "__self__", part) for part in (encoder, decoder)]
        names = ("model",) if owners[0] is owners[1] else ("encoder", "decoder")
        for name, owner in zip(names, owners, strict=False):
            if isinstance(owner, nn.Module):
                self.add_module(name, owner)

    @property
    def encodes(self) -> bool:
        """Whether there is an encoder."""
        return self._encoder[0] is not None

    @property
    def decodes(self) -> bool:
        """Whether there is a decoder."""
        return self._decoder[0] is not None

    @property
    def own(self) -> nn.Module:
        """The module that a checkpoint of the user's belongs to: the one both are methods of, or else the pair."""
        found: nn.Module = getattr(self, "model", self)
        return found

    def encode(self, x: Tensor, condition: Tensor | None = None) -> Normal | Point:
        """The posterior q(z|x).

        Parameters
        ----------
        x : Tensor (n, *shape)
            Samples; images in [0, 1].
        condition : Tensor (n, k), optional
            What the encoder is told as well.

        Returns
        -------
        Normal or Point
            A Normal as it is, (mean, log-variance) as a Normal, a tensor as a `Point`.

        Raises
        ------
        InputError
            Where there is no encoder, or it returns something else.
        """
        encoder = self._encoder[0]
        if encoder is None:
            raise InputError("this model has no encoder, so images cannot be encoded")
        return _posterior(encoder(x) if condition is None else encoder(x, condition), self.latent_dim)

    def decode(self, z: Tensor, condition: Tensor | None = None) -> Distribution:
        """The likelihood p(x|z), with the sample as one event.

        Parameters
        ----------
        z : Tensor (n, d)
            Codes.
        condition : Tensor (n, k), optional
            What the decoder is told as well.

        Returns
        -------
        Distribution
            A distribution as it is, a tensor as its mean (or logits).

        Raises
        ------
        InputError
            Where there is no decoder, or it returns something else.
        """
        decoder = self._decoder[0]
        if decoder is None:
            raise InputError("this model has no decoder, so codes cannot be decoded")
        found = decoder(z) if condition is None else decoder(z, condition)
        if not isinstance(found, Distribution):
            if not isinstance(found, Tensor):
                raise InputError(
                    f"the decoder returned {_came(found)}; expected a tensor (n, channels, height, width) or "
                    "a distribution: in the adapter, pass as decoder=… a method that returns only that"
                )
            found = _around(found.float(), self.family, self.sigma, logits=self.logits)
        loose = len(found.batch_shape) - 1
        return Independent(found, loose, validate_args=False) if loose > 0 else found


def wrap(
    encoder: Part | None = None,
    decoder: Part | None = None,
    *,
    latent_dim: int,
    likelihood: Family = "bernoulli",
    sigma: float = 1.0,
    logits: bool = False,
) -> Wrapped:
    """Wrap your own encoder and decoder as a `Model` that every verb accepts; either may be left out.

    Parameters
    ----------
    encoder : module or method of one, optional
        Takes samples, images (n, c, h, w) in [0, 1], and returns a `torch.distributions.Normal`, a pair (mean,
        log-variance) of (n, d) each, or a tensor (n, d) where it is deterministic.
    decoder : module or method of one, optional
        Takes codes (n, d) and returns the likelihood as a distribution, or a tensor (n, c, h, w): its mean, or with
        ``logits=True`` what still has to pass a sigmoid. Where a run is told conditions (``latentlab import --condition
        batch``), it takes them as ones and zeros (n, k) after the codes.
    latent_dim : int
        d, the width of a code; at least 1.
    likelihood : {"bernoulli", "gaussian", "laplace"}
        The distribution around a decoded tensor.
    sigma : float, default 1.0
        The scale of a Gaussian or Laplace likelihood, above 0.
    logits : bool, default False
        Whether decoded tensors still have to pass a sigmoid.

    Returns
    -------
    Wrapped
        The model. The modules' weights are part of it, under their own names.

    Raises
    ------
    InputError
        Where both parts are left out or one is not a module, and for an unknown likelihood or a number out of range.

    Examples
    --------
    >>> model = wrap(nn.Flatten(), nn.Unflatten(1, (1, 8, 8)), latent_dim=64, likelihood="gaussian")
    >>> model.decode(model.encode(torch.zeros(2, 1, 8, 8)).mean).mean.shape
    torch.Size([2, 1, 8, 8])
    """
    if encoder is None and decoder is None:
        raise InputError("wrap needs an encoder, a decoder or both; got neither")
    for part in (encoder, decoder):
        if part is not None and not isinstance(getattr(part, "__self__", part), nn.Module):
            raise InputError(
                f"wrap got {getattr(part, '__name__', part)!r}; expected a torch module or a method of one, as in "
                "encoder=vae.encode, so that its weights are known"
            )
    if likelihood not in ("bernoulli", "gaussian", "laplace"):
        raise InputError(f"likelihood is {likelihood!r}; expected bernoulli, gaussian or laplace")
    if not isinstance(latent_dim, int) or isinstance(latent_dim, bool) or latent_dim < 1:
        raise InputError(f"latent_dim is {str(latent_dim)[:40]!r}; expected a whole number from 1, the width of a code")
    if not isinstance(sigma, int | float) or not 0 < sigma < math.inf:
        raise InputError(f"sigma is {str(sigma)[:40]!r}; expected a number above 0, the scale of the likelihood")
    return Wrapped(encoder, decoder, latent_dim, likelihood, sigma, logits)


def _posterior(posterior: Any, latent_dim: int) -> Normal | Point:
    if isinstance(posterior, Independent):
        posterior = posterior.base_dist  # a rate per dimension needs the dimensions apart
    if (
        isinstance(posterior, tuple | list)
        and len(posterior) == 2
        and all(isinstance(part, Tensor) for part in posterior)
    ):
        mean, log_variance = (part.float() for part in posterior)
        if mean.shape != log_variance.shape:
            shapes = f"{tuple(mean.shape)} and {tuple(log_variance.shape)}"
            raise InputError(f"the encoder's means and log-variances are {shapes}; expected (n, {latent_dim}) each")
        posterior = Normal(mean, torch.exp(0.5 * log_variance), validate_args=False)
    if isinstance(posterior, Tensor):
        posterior = Point(posterior.float())
    if not isinstance(posterior, Normal | Point):
        raise InputError(
            f"the encoder returned {_came(posterior)}; expected a Normal, (mean, log-variance), or a tensor: in the "
            "adapter, pass as encoder=… a method that returns only that"
        )
    if posterior.mean.ndim != 2 or posterior.mean.shape[1] != latent_dim:
        raise InputError(
            f"the encoder's means are {tuple(posterior.mean.shape)}; expected (n, d) with d = {latent_dim}"
            + _spread_out(posterior.mean)
        )
    return posterior


def _came(found: Any) -> str:
    """What a part returned, with what is in it."""
    if isinstance(found, tuple | list | dict):
        parts = [str(key)[:20] for key in found] if isinstance(found, dict) else [_shaped(each) for each in found]
        return f"a {type(found).__name__} of {', '.join(parts)[:40]}" if parts else f"an empty {type(found).__name__}"
    return f"a {type(found).__name__}"


def _shaped(part: Any) -> str:
    return str(tuple(part.shape)) if isinstance(part, Tensor) else type(part).__name__


def _spread_out(mean: Tensor) -> str:
    """What to do with codes that have places, as those of a convolutional or a VQ model."""
    if mean.ndim < 3:
        return ""
    size = math.prod(mean.shape[1:])
    return f": codes with places are flattened by the encoder (d = {size}) and shaped again by the decoder"


def _around(outputs: Tensor, family: Family, sigma: float, *, logits: bool) -> Distribution:
    if family == "bernoulli":
        parameters = {"logits" if logits else "probs": outputs}
        return Bernoulli(**parameters, validate_args=False)
    mean = torch.sigmoid(outputs) if logits else outputs
    return (Normal if family == "gaussian" else Laplace)(mean, sigma, validate_args=False)
