"""Images whose patches repeat are encoded as any others: equal windows are found exactly, and computed once."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from latentlab.data import dsprites
from latentlab.models import Autoencoder, Point, encoding
from latentlab.models._windows_kernel import OUTSIDE, number_windows
from latentlab.models.encoding import posterior
from latentlab.models.networks import burgess
from latentlab.models.networks._layers import mix_precision
from latentlab.models.repeated import ROWS, _multipliers, front, repeating

SPRITES = dsprites.render(np.random.default_rng(0).choice(737_280, 300, replace=False))


def model_of(*layers: nn.Module, outputs: int = 6, latent_dim: int = 3) -> Autoencoder:
    torch.manual_seed(0)
    encoder = nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(outputs))
    return Autoencoder(encoder, nn.Identity(), nn.Identity(), latent_dim)


def sprites_and_noise() -> np.ndarray:
    noise = np.random.default_rng(1).integers(0, 256, (200, 1, 64, 64), np.uint8)
    return np.concatenate([SPRITES, noise])[np.random.default_rng(2).permutation(500)]


def windows_of(cells: np.ndarray, kernel: int, stride: int, padding: int) -> np.ndarray:
    """The windows (n, down, across, kernel × kernel × depth) of images (n, height, width, depth), one by one."""
    wide = np.pad(cells, ((0, 0), (padding, padding), (padding, padding), (0, 0)), constant_values=OUTSIDE)
    views = np.lib.stride_tricks.sliding_window_view(wide, (kernel, kernel), (1, 2))[:, ::stride, ::stride]
    return np.moveaxis(views, 3, -1).reshape(*views.shape[:3], -1)


@pytest.mark.parametrize("hashed", ["well", "all alike"])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "depth", "size", "levels"),
    [(4, 2, 1, 1, (12, 10), 2), (3, 1, 0, 1, (5, 9), 2), (3, 2, 1, 3, (7, 8), 2), (1, 1, 0, 2, (4, 4), 5),
     (5, 3, 4, 1, (8, 8), 1), (2, 3, 0, 1, (8, 9), 2), (4, 2, 1, 1, (12, 12), 2**31 - 1), (6, 1, 0, 1, (6, 6), 2)],
)  # fmt: skip
def test_windows_are_numbered_alike_where_they_are_equal(
    hashed: str, kernel: int, stride: int, padding: int, depth: int, size: tuple[int, int], levels: int
) -> None:
    rng = np.random.default_rng(0)
    cells = rng.integers(0, levels, (20, *size, depth)).astype(np.int32)
    cells[5] = cells[4]
    cells[6:9] = 0  # and blank ones
    true = windows_of(cells, kernel, stride, padding)
    multipliers = _multipliers(true.shape[-1]) if hashed == "well" else np.zeros(true.shape[-1], np.uint64)
    numbers = np.empty(true.shape[:3], np.int32)
    windows = np.empty((numbers.size, true.shape[-1]), np.int32)
    flat = cells.reshape(20, size[0], -1)
    count = number_windows(flat, kernel, stride, padding, multipliers, numbers, windows)
    np.testing.assert_array_equal(windows[numbers], true)
    assert count == len(np.unique(true.reshape(numbers.size, -1), axis=0)) == numbers.max() + 1


@pytest.mark.parametrize(
    ("layers", "size"),
    [([nn.Conv2d(2, 8, 4, 2, 1), nn.ReLU(), nn.Conv2d(8, 5, 3, 2, 1, bias=False), nn.ReLU()], (32, 40)),
     ([nn.Conv2d(2, 3, 3), nn.ReLU(inplace=True)], (9, 7)), ([nn.Conv2d(2, 4, 2, 3, 2), nn.ReLU()], (11, 12))],
)  # fmt: skip
def test_outputs_are_those_of_the_layers(layers: list[nn.Module], size: tuple[int, int]) -> None:
    images = np.zeros((30, 2, *size), np.uint8)
    rng = np.random.default_rng(0)
    for image in images[3:]:
        top, left = rng.integers(0, 4, 2)
        image[:, top : top + 4, left : left + 3] = rng.integers(0, 256, 2)[:, None, None]
    model = model_of(*layers)
    first = front(model, images.shape[1:])
    assert first is not None
    assert len(first.layers) == len(layers) // 2
    with torch.inference_mode():
        expected = nn.Sequential(*layers)(torch.from_numpy(images / np.float32(255)))
        parts = list(first.outputs(images, 7))
        assert [len(part) for part in parts] == [7, 7, 7, 7, 2]
        torch.testing.assert_close(torch.cat(parts), expected, rtol=1e-5, atol=1e-5)


def test_codes_are_those_of_the_whole_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    model = Autoencoder(burgess.encoder((1, 64, 64), 20), nn.Identity(), nn.Identity(), 10).eval()
    images = sprites_and_noise()
    assert repeating(images).sum() == len(SPRITES)
    seen: list[int] = []
    read = encoding.as_input
    monkeypatch.setattr(encoding, "as_input", lambda model, part: seen.append(len(part)) or read(model, part))
    mean, variance = posterior(model, images)
    assert sum(seen) == 200, "only noise goes through the first convolution"
    monkeypatch.setattr(encoding, "repeating", lambda images: np.zeros(len(images), bool))
    for found, whole in zip((mean, variance), posterior(model, images), strict=True):
        np.testing.assert_allclose(found, whole, rtol=2e-5, atol=2e-5)


def test_the_code_of_a_sprite_does_not_depend_on_what_is_encoded_beside_it() -> None:
    torch.manual_seed(0)
    model = Autoencoder(burgess.encoder((1, 64, 64), 20), nn.Identity(), nn.Identity(), 10).eval()
    images = sprites_and_noise()
    together = posterior(model, images)
    sprites = np.flatnonzero(repeating(images))
    noise = np.flatnonzero(~repeating(images))
    few = [sprites[:1], noise[:1], sprites[:66], noise[:3], np.concatenate([sprites[:129], noise[:2]])]
    for chosen in (sprites, sprites[::-1], sprites[7:50], noise, *few):
        for alone, all_ in zip(posterior(model, images[chosen]), together, strict=True):
            np.testing.assert_array_equal(alone, all_[chosen])
    assert len(sprites) % ROWS, "the last product has fewer windows"


def test_only_what_begins_with_plain_convolutions_is_taken_apart() -> None:
    conv, relu, shape = nn.Conv2d(1, 4, 4, 2, 1), nn.ReLU(), (1, 64, 64)
    first = front(Autoencoder(burgess.encoder(shape, 20), nn.Identity(), nn.Identity(), 10), shape)
    assert first is not None
    assert len(first.layers) == 3, "windows of the fourth cover 46 of 64 pixels"
    assert front(model_of(conv, relu), (1, 8, 8)) is None, "a window covers half of the image"
    for other in (
        nn.Conv2d(1, 4, 4, 2, (1, 0)), nn.Conv2d(1, 4, 3, padding="same"), nn.Conv2d(1, 4, 3, dilation=2),
        nn.Conv2d(1, 4, 3, padding=1, padding_mode="reflect"), nn.Conv2d(1, 4, 3).double(), nn.Identity(),
    ):  # fmt: skip
        assert front(model_of(other, relu), shape) is None
    assert front(model_of(nn.Conv2d(2, 4, 3, groups=2), relu), (2, 64, 64)) is None
    assert front(model_of(conv, nn.Tanh()), shape) is None
    mix_precision(conv, "cpu")
    assert front(model_of(conv, relu), shape) is None
    assert front(nn.Sequential(conv, relu), shape) is None  # type: ignore[arg-type]
    for wrong in ((2, 64, 64), (64, 64), (4096,)):
        assert front(model_of(nn.Conv2d(1, 4, 4, 2, 1), relu), wrong) is None, "what is wrong with them, torch says"


class Doubling(nn.Conv2d):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(x)


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize(
    "change",
    [lambda _: Doubling(1, 4, 4, 2, 1), nn.utils.spectral_norm, nn.utils.weight_norm,
     nn.utils.parametrizations.spectral_norm],
)  # fmt: skip
def test_layers_that_do_more_than_their_kind_are_called(change: Callable[[nn.Module], nn.Module]) -> None:
    model = model_of(change(nn.Conv2d(1, 4, 4, 2, 1)), nn.ReLU(), outputs=3).eval()
    model.encode(torch.zeros(1, 1, 64, 64))
    model.load_state_dict({name: 1.5 * value for name, value in model.state_dict().items()})
    assert front(model, (1, 64, 64)) is None
    with torch.inference_mode():
        expected = model.encode(encoding.as_input(model, SPRITES[:5])).mean
    np.testing.assert_array_equal(posterior(model, SPRITES[:5])[0], expected)


class Negated(Autoencoder):
    def encode(self, x: torch.Tensor, condition: torch.Tensor | None = None) -> Point:
        return Point(-super().encode(x, condition).mean)


def test_a_model_that_encodes_in_its_own_way_is_asked() -> None:
    encoder = nn.Sequential(nn.Conv2d(1, 4, 4, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(4096, 3))
    plain, negated = (kind(encoder, nn.Identity(), nn.Identity(), 3) for kind in (Autoencoder, Negated))
    np.testing.assert_allclose(
        posterior(negated, SPRITES[:5])[0], -posterior(plain, SPRITES[:5])[0], rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    ("layers", "shape", "count"),
    [([nn.Conv2d(1, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 32, 4, 2, 1), nn.ReLU()], (1, 64, 64), 1024),
     ([nn.Conv2d(1, 64, 3, padding=1), nn.ReLU()], (1, 64, 64), 128),
     ([nn.Conv2d(3, 64, 7, padding=3), nn.ReLU()], (3, 64, 64), 58),
     ([nn.Conv2d(3, 64, 7, padding=3), nn.ReLU()], (3, 2048, 2048), 1)],
)  # fmt: skip
def test_fewer_images_are_taken_together_the_larger_their_windows_and_outputs(
    layers: list[nn.Module], shape: tuple[int, ...], count: int
) -> None:
    first = front(model_of(*layers), shape)
    assert first is not None
    images = np.broadcast_to(np.zeros(1, np.ubyte), (2000, *shape))
    assert [len(part) for part in first.parts(images, np.arange(2000), 64)[:2]] == [count, min(count, 2000 - count)]


@pytest.mark.parametrize("axes", [(2, 3), (3, 2)])
def test_images_that_are_flat_in_one_direction_alone_have_no_repeating_patches(axes: tuple[int, int]) -> None:
    across = np.random.default_rng(0).integers(0, 256, (3, 1, 64, 1), np.ubyte).repeat(64, axis=3)
    assert not repeating(across.transpose(0, 1, *axes)).any()
    assert repeating(SPRITES.transpose(0, 1, *axes)).all()
