"""A run's decoder as a description that ``decoder.js`` runs: a network with its weights, or frames decoded beforehand.

`network` reads the layers off the model; where it cannot (a layer of the user's own, samples that are no images),
`frames` holds what the model makes of the moves of single dimensions, and `stored` what a run without weights has kept.
"""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.codes import Codes
from latentlab.codes.decodings import Decodings
from latentlab.codes.paths import sweeps
from latentlab.data import Form
from latentlab.data.dataset import Samples
from latentlab.errors import InputError
from latentlab.system.png import Pictures, data_uri

if TYPE_CHECKING:
    from torch import Tensor, nn

STEPS = 61  # frames from −3σ to 3σ: one every tenth of σ
TRIED = 32  # codes on which half precision is tried
HALF_LEVEL = 0.5 / 255  # a rounding of the weights that changes a pixel by less is not seen


def network(model: Any, form: Form, codes: Codes) -> dict[str, Any]:
    """A decoder of images as layers and weights; what the page decodes is within one grey level of `Live.decode`.

    Parameters
    ----------
    model : Model
        With a decoder, its weights on any device.
    form : Form
        Of the run's samples.
    codes : Codes
        Of the run; on some of them is tried whether weights of 16 bits are as good as those of 32.

    Returns
    -------
    dict
        For ``loadDecoder`` of ``decoder.js``: plain values, weights in base64.

    Raises
    ------
    InputError
        For samples that are no images in bytes or numbers, and decoders with a layer or likelihood that the page does
        not know.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> run = ll.train("digits", f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> network(ll.live(run).model, run.config.form, ll.encode(run))["planes"]
    [[0]]
    """
    import torch

    from latentlab.browser.layers import operations

    planes = _planes(form)
    module, squash, told = _parts(model)
    with torch.no_grad():
        layers, weights = operations(module)
        flat = torch.cat([each.detach().float().cpu().flatten() for each in weights]).numpy()
        half = _fits_half(module, told, codes, squash=squash)
    return {
        "kind": "network",
        "latent": codes.latent_dim,
        "told": told,
        "layers": layers,
        "half": half,
        "weights": _base64(flat.astype(np.float16 if half else np.float32)),
        "squash": squash,
        "planes": planes,
    }


def frames(
    decode: Callable[[Any], Samples], form: Form, codes: Codes, code: Any, dims: Sequence[int]
) -> dict[str, Any]:
    """What a decoder makes of a `code` (d,) when one of `dims` is moved, as small pictures, with the code's own.

    ``decode`` is that of `Live`. Around another code the frames are other ones.
    """
    grid = sweeps(codes, code, dims, STEPS)
    own = form.picture(decode(np.asarray(code, np.float32)[None]))
    return _sheet(form.picture(decode(grid)), grid, code, dims) | {"start": data_uri(_pixels(own[0]))}


def stored(part: Decodings, dims: Sequence[int]) -> dict[str, Any]:
    """The frames of a stored traversal around its own code: few, and none is the code's own."""
    own = list(dims)
    return _sheet(part.pictures(part.images[own]), part.codes[own], centre(part), dims)


def centre(part: Decodings) -> NDArray[np.float32]:
    """The code (d,) that a traversal moves through: each dimension's value where another one is moved."""
    every = np.arange(part.codes.shape[-1])
    return np.asarray(part.codes[(every + 1) % len(every), 0, every])


def _sheet(pictures: Pictures, grid: Any, code: Any, dims: Sequence[int]) -> dict[str, Any]:
    """Pictures (k, steps, c, h, w) of codes (k, steps, d) as one image, a row for each dimension."""
    k, steps, channels, height, width = pictures.shape
    sheet = pictures.transpose(0, 3, 1, 4, 2).reshape(k * height, steps * width, channels)
    low, high = (grid[np.arange(k), end, list(dims)].tolist() for end in (0, -1))
    ends = {"low": low, "high": high, "steps": steps, "width": width, "height": height}
    return {
        "kind": "frames",
        "code": np.asarray(code, float).tolist(),
        "dims": list(dims),
        **ends,
        "sheet": data_uri(sheet),
    }


def _pixels(picture: Pictures) -> Pictures:
    return picture.transpose(1, 2, 0)


def _base64(numbers: NDArray[np.floating]) -> str:
    little = numbers.astype(numbers.dtype.newbyteorder("<"), copy=False)
    return base64.b64encode(little.tobytes()).decode()


def _planes(form: Form) -> list[list[int | None]]:
    """The channels of each picture that the page puts side by side, one (grey) or three of them; None is black."""
    if form.kind != "image" or (form.bytes and (form.offset != (0.0,) or form.scale != (255.0,))):
        raise InputError(f"samples are {form.described()}; a browser decodes images")
    chosen: list[int | None] = [channel - 1 for channel in form.colours]
    if chosen:
        return [chosen] if len(chosen) == 3 else [[channel] for channel in chosen]
    by_count: dict[int, list[int | None]] = {1: [0], 2: [0, 1, None]}
    return [by_count.get(form.shape[0], [0, 1, 2])]


def _parts(model: Any) -> tuple[nn.Module, bool, list[float]]:
    """The module that decodes, whether a sigmoid follows it, and the conditions that follow the code."""
    from latentlab.models.autoencoder import Autoencoder
    from latentlab.models.conditions import At
    from latentlab.models.likelihoods import BernoulliLikelihood, GaussianLikelihood, SquashedLikelihood

    told: list[float] = []
    if isinstance(model, At):
        model, told = model.model, model.told[0].tolist()
    if type(model) is not Autoencoder:
        raise InputError(f"the model is a {type(model).__name__} of your own; a browser runs models built by latentlab")
    if not isinstance(model.likelihood, BernoulliLikelihood | GaussianLikelihood | SquashedLikelihood):
        raise InputError(f"the likelihood is a {type(model.likelihood).__name__}; a browser draws means of pixels")
    return model.decoder, not isinstance(model.likelihood, GaussianLikelihood), told


def _fits_half(module: nn.Module, told: list[float], codes: Codes, *, squash: bool) -> bool:
    """Whether no pixel of some codes, drawn twice as far out, changes visibly when weights are rounded to 16 bits."""
    import torch

    device = next(module.parameters()).device
    some = codes.mean[codes.drawn(TRIED, 0)].astype(np.float32)
    far = torch.from_numpy(np.concatenate([some, 2 * some])).to(device)
    given = torch.cat([far, torch.tensor(told, device=device).repeat(len(far), 1)], dim=1)
    rounded = copy.deepcopy(module)
    for each in (*rounded.parameters(), *rounded.buffers()):
        if each.is_floating_point():
            each.data = each.data.half().float()
    outputs: list[Tensor] = [each(given).float() for each in (module, rounded)]
    one, other = (torch.sigmoid(each) if squash else each.clamp(0, 1) for each in outputs)
    return bool((one - other).abs().max() <= HALF_LEVEL)  # False where rounding made a number that is not finite
