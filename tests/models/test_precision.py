"""Mixed precision and memory layout change how a model computes, not what it is."""

import pytest
import torch
from torch import nn

from latentlab.models.networks._layers import ConvTranspose2d, channels_last, mix_precision
from latentlab.runs.config import Hardware
from latentlab.training import configure


def test_our_transposed_convolution_is_pytorchs() -> None:
    torch.manual_seed(0)
    ours, theirs = ConvTranspose2d(3, 5, 4, stride=2, padding=1), nn.ConvTranspose2d(3, 5, 4, stride=2, padding=1)
    theirs.load_state_dict(ours.state_dict())
    x, weight = torch.randn(2, 3, 6, 6), torch.randn(2, 5, 12, 12)
    found = []
    for layer in (ours, theirs):
        given = x.clone().requires_grad_()
        y = layer(given)
        (y * weight).sum().backward()
        found.append([y.detach(), given.grad, *(p.grad for p in layer.parameters())])
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_last_keeps_the_numbers(channels: int) -> None:
    x = torch.randn(2, channels, 4, 6)
    y = channels_last(x)
    assert torch.equal(x, y)
    assert y.stride() == (24 * channels, 1, 6 * channels, channels)


def test_only_convolutions_compute_in_bfloat16() -> None:
    seen: dict[str, torch.dtype] = {}
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.Flatten(), nn.Linear(128, 8), nn.Unflatten(1, (8, 1, 1)),
        ConvTranspose2d(8, 1, 4),
    )  # fmt: skip
    mix_precision(model, "cpu")
    for layer in model:
        layer.register_forward_hook(lambda layer, given, out: seen.update({type(layer).__name__: out.dtype}))
    model(torch.randn(2, 1, 4, 4)).float().sum().backward()
    assert seen["Conv2d"] == seen["ConvTranspose2d"] == torch.bfloat16
    assert seen["GroupNorm"] == seen["Linear"] == torch.float32
    assert all(p.dtype == p.grad.dtype == torch.float32 for p in model.parameters())


def test_older_configurations_have_no_mixed_precision() -> None:
    assert Hardware.model_validate({"device": "cpu", "threads": 2}).precision == "float32"


@pytest.mark.parametrize(
    ("network", "device", "flags", "expected"),
    [
        ("burgess", "cpu", {"avx512_bf16"}, "mixed"),
        ("burgess", "cpu", {"avx512f"}, "float32"),
        ("burgess", "cuda", {"avx512_bf16"}, "float32"),
        ("mlp", "cpu", {"avx512_bf16"}, "float32"),
        ("resnet", "cpu", {"avx512_bf16"}, "float32"),
    ],
)
def test_auto_is_mixed_only_where_it_was_measured(
    monkeypatch: pytest.MonkeyPatch, network: str, device: str, flags: set[str], expected: str
) -> None:
    monkeypatch.setattr(configure, "processor_flags", lambda: flags)
    assert configure.best_precision(network, device) == expected
    assert configure.resolve_hardware(network, "float32", 1, "cpu").precision == "float32"
