"""What a model is, and the one that networks and a likelihood make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Normal

from latentlab.data.kinds import Form, image_form, kind_of
from latentlab.errors import InputError
from latentlab.models.likelihoods import LIKELIHOODS
from latentlab.models.networks._layers import channels_last
from latentlab.models.weight_names import beginning
from latentlab.runs.config import Hardware, RunConfig
from latentlab.system.registry import load

Network = TypeVar("Network", bound=nn.Module)


@runtime_checkable
class Model(Protocol):
    """What every verb asks of a model: codes from samples, and likelihoods from codes.

    Attributes
    ----------
    latent_dim : int
        d, the number of latent dimensions.
    form : Form, optional
        What its samples are: samples are what the form makes of stored values, images in [0, 1] where the model has
        none.
    """

    latent_dim: int

    def encode(self, x: Tensor) -> Normal | Point:
        """The posterior q(z|x) of samples.

        Parameters
        ----------
        x : Tensor (n, *shape)
            Samples; images in [0, 1].

        Returns
        -------
        Normal or Point
            Its mean is (n, d).
        """

    def decode(self, z: Tensor) -> Distribution:
        """The likelihood p(x|z) of codes.

        Parameters
        ----------
        z : Tensor (n, d)
            Codes.

        Returns
        -------
        Distribution
            Its log-probability is (n,).
        """


@dataclass(frozen=True, slots=True)
class Point:
    """The posterior of a deterministic encoder: all its mass on the mean. It has no rate.

    Parameters
    ----------
    mean : Tensor (n, d)
        The codes.

    Examples
    --------
    >>> Point(torch.zeros(2, 3)).rsample().shape
    torch.Size([2, 3])
    """

    mean: Tensor

    def rsample(self) -> Tensor:
        """The mean itself.

        Returns
        -------
        Tensor (n, d)
            The codes.
        """
        return self.mean


class Autoencoder(nn.Module):
    """An encoder, a decoder and a likelihood; stochastic (a VAE) or not (a plain autoencoder).

    Parameters
    ----------
    encoder : module
        Maps samples (n, *shape) to (n, 2d) where it is stochastic, else to (n, d).
    decoder : module
        Maps codes (n, d) to parameters of the likelihood (n, *shape).
    likelihood : module
        Maps these parameters to a distribution of samples.
    latent_dim : int
        d, the number of latent dimensions.
    form : Form, optional
        What one sample is; images in [0, 1] where it is left out.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, likelihood: nn.Module, latent_dim: int, form: Form | None = None
    ) -> None:
        super().__init__()
        self.encoder, self.decoder, self.likelihood = encoder, decoder, likelihood
        self.latent_dim, self.form = latent_dim, form
        self.seen = SEEN[kind_of(form).SEEN] if form is not None else None

    def encode(self, x: Tensor, condition: Tensor | None = None) -> Normal | Point:
        """The posterior: N(μ(x), diag σ²(x)) where the encoder has 2d outputs, the point μ(x) where it has d.

        Parameters
        ----------
        x : Tensor (n, *shape)
            Samples; images in [0, 1].
        condition : Tensor (n, k), optional
            What the encoder is told as well: further entries of a sample's first axis.

        Returns
        -------
        Normal or Point
            Its mean is (n, d).
        """
        seen = x if self.seen is None else self.seen(x)
        if condition is not None:
            constant = condition.reshape(*condition.shape, *[1] * (x.ndim - 2)).expand(-1, -1, *x.shape[2:])
            seen = torch.cat([seen, constant], dim=1)
        outputs = self.encoder(seen).float()
        if outputs.shape[1] == self.latent_dim:
            return Point(outputs)
        mean, log_variance = outputs.chunk(2, dim=1)
        return Normal(mean, torch.exp(0.5 * log_variance), validate_args=False)

    def decode(self, z: Tensor, condition: Tensor | None = None) -> Distribution:
        """The likelihood p(x|z), with all axes of a sample as one event.

        Parameters
        ----------
        z : Tensor (n, d)
            Codes.
        condition : Tensor (n, k), optional
            What the decoder is told as well, next to the code.

        Returns
        -------
        Distribution
            Its log-probability is (n,).
        """
        told = z if condition is None else torch.cat([z, condition], dim=1)
        found: Distribution = self.likelihood(self.decoder(told).float())
        return found


# What an encoder sees of a sample, by the name that a kind's file gives it; None: the sample itself.
SEEN: Mapping[str, Callable[[Tensor], Tensor] | None] = {
    "itself": None,
    "without what is missing": torch.nan_to_num,
    "logarithms": torch.log1p,
}


def form_of(model: Model, shape: tuple[int, ...]) -> Form:
    """The form of a model's samples; that of images in bytes of that shape where it has none of its own."""
    form = getattr(model, "form", None)
    return form if isinstance(form, Form) else image_form(shape)


def build(config: RunConfig) -> Autoencoder:
    """The untrained model that a configuration describes.

    Parameters
    ----------
    config : RunConfig
        A resolved configuration.

    Returns
    -------
    Autoencoder
        The model, its weights drawn by torch's own generator.
    """
    network = load("models/networks", config.network)
    outputs = 2 * config.latent_dim if config.stochastic else config.latent_dim
    told = config.conditions.width if config.conditions else 0
    first, *others = config.form.shape
    seen = (first + told if config.conditions and config.conditions.encoder else first, *others)
    return Autoencoder(
        network.encoder(seen, outputs),
        network.decoder(config.latent_dim + told, config.form.shape),
        LIKELIHOODS[config.likelihood](config.form, config.sigma),
        config.latent_dim,
        config.form,
    )


def place(model: Network, hardware: Hardware) -> Network:
    """Put a model on its device, convolution weights in the layout that the configuration names.

    Parameters
    ----------
    model : module
        The model; its weights are moved.
    hardware : Hardware
        Device and layout.

    Returns
    -------
    module
        The same model.
    """
    model = model.to(hardware.device)
    if hardware.memory_format == "channels_last":
        for parameter in model.parameters():
            if parameter.ndim == 4:
                parameter.data = channels_last(parameter.data)
    return model


def device_of(model: Model) -> torch.device:
    """Where a model's weights are; the CPU where it has none."""
    tensors = (*model.parameters(), *model.buffers()) if isinstance(model, nn.Module) else ()
    return tensors[0].device if tensors else torch.device("cpu")


def fit_weights(model: nn.Module, weights: dict[str, Tensor], path: Path) -> None:
    """Load weights into a model; an `InputError` names the first that is missing, left over or of another shape."""
    check_weights(model, weights, path)
    model.load_state_dict(weights)


def check_weights(model: nn.Module, weights: dict[str, Tensor], path: Path) -> None:
    """Raise an `InputError` where the weights are not those of such a model."""
    wanted = model.state_dict()
    for name in sorted(wanted.keys() | weights.keys()):
        if name not in weights:
            raise InputError(_missing(name, weights, wanted, path))
        if name not in wanted:
            raise InputError(
                f"{path} has a weight {name} that the configured network does not have; do config and file match?"
            )
        if wanted[name].shape != weights[name].shape:
            came, expected = tuple(weights[name].shape), tuple(wanted[name].shape)
            raise InputError(f"{path}: {name} is {came}, expected {expected}; do config and file belong together?")
        if wanted[name].is_floating_point() != weights[name].is_floating_point():
            kind, kept = weights[name].dtype, wanted[name].dtype
            raise InputError(f"{path}: {name} is {kind}, expected {kept}; save the weights as they were trained")
        if not _fits(weights[name], wanted[name].dtype):
            kind, kept = weights[name].dtype, wanted[name].dtype
            raise InputError(f"{path}: {name} is {kind} and has values that {kept} does not hold; save it as {kept}")


def _fits(weight: Tensor, kept: torch.dtype) -> bool:
    """Whether a weight keeps its values as that dtype: whole numbers are the same, and what is finite stays so."""
    if weight.dtype == kept or weight.is_complex():
        return True
    if weight.is_floating_point():
        return weight.itemsize <= kept.itemsize or bool((weight.isfinite() == weight.to(kept).isfinite()).all())
    return bool((weight.to(kept).to(weight.dtype) == weight).all())


def _missing(name: str, weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: Path) -> str:
    """What to say of a weight that a file lacks: how the names that it has begin, where the model's begin otherwise."""
    told = f"{path} lacks the weight {name}; it belongs to a different network than the config says"
    begins = beginning(weights)
    return told if begins in ("", beginning(wanted)) else f"{told}: its names begin with {begins[:40]}"
