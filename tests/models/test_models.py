"""Networks: shapes for every size the layers allow, one published architecture, and what they refuse."""

import pytest
import torch
from torch import Tensor, nn

from latentlab.data.kinds import Form, image_form
from latentlab.errors import InputError
from latentlab.models import Model
from latentlab.models.autoencoder import Autoencoder, fit_weights
from latentlab.models.likelihoods import LIKELIHOODS
from latentlab.models.networks._layers import ConvTranspose2d, keep_variance
from latentlab.system.registry import load, names

FORM = image_form((1, 8, 8))


SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32), (1, 64, 64), (3, 64, 64), (1, 32, 64)]
FITTING = [
    (network, shape)
    for network in names("models/networks")
    for shape in [*SHAPES, (13,), (1, 32), (2, 65), (3, 1000)]
    if getattr(load("models/networks", network), "takes", lambda shape: True)(shape)
]


@pytest.mark.parametrize(("network", "shape"), FITTING)
def test_encoder_and_decoder_fit_each_other(network: str, shape: tuple[int, ...]) -> None:
    module = load("models/networks", network)
    x = torch.rand(2, *shape)
    assert module.encoder(shape, 10)(x).shape == (2, 10)
    assert module.decoder(5, shape)(torch.zeros(2, 5)).shape == x.shape
    assert 0 < module.LEARNING_RATE < 1


def test_burgess_is_the_published_network() -> None:
    """Four convolutions of 32 channels and two layers of 256: as many weights as the paper's 64×64 pair has."""
    module = load("models/networks", "burgess")
    conv, rest = 32 * 1 * 16 + 32 + 3 * (32 * 32 * 16 + 32), 512 * 256 + 256 + 256 * 256 + 256 + 256 * 20 + 20
    assert sum(p.numel() for p in module.encoder((1, 64, 64), 20).parameters()) == conv + rest
    rest = 10 * 256 + 256 + 256 * 256 + 256 + 256 * 512 + 512 + 3 * (32 * 32 * 16 + 32) + 32 * 1 * 16 + 1
    assert sum(p.numel() for p in module.decoder(10, (1, 64, 64)).parameters()) == rest


def layers(kind: type[nn.Module], *settings: int) -> list[nn.Module]:
    return [kind(*settings), *(m for _ in range(3) for m in (nn.ReLU(), kind(*settings)))]


@pytest.mark.parametrize(
    ("deep", "x"),
    [
        (layers(nn.Linear, 256, 256), torch.randn(256, 256)),
        (layers(nn.Conv2d, 32, 32, 4, 2, 1), torch.randn(8, 32, 64, 64)),
        (layers(ConvTranspose2d, 32, 32, 4, 2, 1), torch.randn(8, 32, 4, 4)),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_signal_reaches_the_end_of_a_deep_network_as_strong_as_it_came(
    deep: list[nn.Module], x: Tensor, seed: int
) -> None:
    """But for what the zeros around the image take from convolutions; with PyTorch's own weights 0.001 arrives."""
    torch.manual_seed(seed)
    with torch.no_grad():
        arrived = keep_variance(nn.Sequential(*deep))(x)
    assert 0.4 < float(arrived.square().mean() / x.square().mean()) < 1.6


def test_a_burgess_decoder_begins_with_pictures_that_differ() -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        logits = load("models/networks", "burgess").decoder(10, (1, 64, 64))(torch.randn(100, 10))
    assert float(logits.std(dim=0).mean()) > 0.2  # 0.0005 with PyTorch's own weights


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 3), (1, 28, 28), (1, 105, 105), (3, 33, 70)])
def test_resnet_takes_any_size(shape: tuple[int, int, int]) -> None:
    module = load("models/networks", "resnet")
    assert module.encoder(shape, 4)(torch.rand(2, *shape)).shape == (2, 4)
    assert module.decoder(2, shape)(torch.zeros(2, 2)).shape == (2, *shape)


def test_resnet_codes_an_image_by_itself() -> None:
    """Group normalisation: what else is in the batch, or whether the model is training, changes no code."""
    torch.manual_seed(0)
    encoder, x = load("models/networks", "resnet").encoder((1, 28, 28), 4), torch.rand(5, 1, 28, 28)
    torch.testing.assert_close(encoder.train()(x)[:1], encoder.eval()(x[:1]))


def test_resnet_blocks_begin_as_the_identity() -> None:
    block, x = load("models/networks", "resnet").Residual(32), torch.randn(2, 32, 5, 5)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize("size", [(105, 105), (4, 4), (20, 96), (63, 64)])
def test_burgess_refuses_sizes_it_cannot_halve(size: tuple[int, int]) -> None:
    if size == (20, 96):
        with pytest.raises(InputError, match="resize them"):
            load("models/networks", "burgess").encoder((1, *size), 10)
        return
    with pytest.raises(InputError, match=f"{size[0]}×{size[1]}"):
        load("models/networks", "burgess").encoder((1, *size), 10)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_likelihoods(name: str) -> None:
    flat = name in ("per-column", "negative-binomial", "poisson")
    form = Form("table", (16,)) if flat else image_form((3, 4, 4))
    likelihood = LIKELIHOODS[name](form, 0.5)
    p = likelihood(torch.zeros(2, *form.shape))
    assert p.log_prob(torch.full((2, *form.shape), 0.3)).shape == (2,)
    assert p.mean.shape == p.sample().shape == (2, *form.shape)
    learned = {"gaussian-learned": 1, "gaussian-channels": 3, "per-column": 16, "negative-binomial": 16}
    assert sum(q.numel() for q in likelihood.parameters()) == learned.get(name, 0)


def test_grey_bernoulli_is_the_mean_over_bits() -> None:
    """log p of a grey level g equals g·log p(1) + (1 − g)·log p(0)."""
    p = LIKELIHOODS["bernoulli"](FORM, 1.0)(torch.full((1, 1, 1, 1), 0.7))
    at = {value: p.log_prob(torch.full((1, 1, 1, 1), value)) for value in (0.0, 0.25, 1.0)}
    torch.testing.assert_close(at[0.25], 0.25 * at[1.0] + 0.75 * at[0.0])


def test_the_protocol() -> None:
    module = load("models/networks", "mlp")
    m = Autoencoder(
        module.encoder((1, 8, 8), 4),
        module.decoder(2, (1, 8, 8)),
        LIKELIHOODS["bernoulli"](FORM, 1.0),
        2,
    )
    assert isinstance(m, Model)
    wrong = {name: tensor for name, tensor in m.state_dict().items() if "5" not in name}
    from pathlib import Path

    with pytest.raises(InputError, match="lacks the weight"):
        fit_weights(m, wrong, Path("model.safetensors"))
