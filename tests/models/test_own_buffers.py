"""A model of anyone's with what people register beside parameters: counters, indices, masks; and with odd outputs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

import latentlab as ll
from latentlab.cli import run as cli
from latentlab.errors import InputError
from latentlab.exchange.importing import import_model
from latentlab.models import load_model
from latentlab.models.autoencoder import fit_weights
from latentlab.runs.run import Run

FILE = """
import latentlab as ll
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 6))
        self.g = nn.Sequential(nn.Linear(3, 64), nn.Sigmoid(), nn.Unflatten(1, (1, 8, 8)))
        self.register_buffer("order", torch.arange(6))
        self.register_buffer("on", torch.tensor([True, False]))
        self.register_buffer("bytes", torch.tensor([255, 1], dtype=torch.uint8))
        self.register_buffer("mask", torch.full((3, 3), -torch.inf).triu(1))
        self.register_buffer("unset", torch.tensor(torch.nan))
        self.register_buffer("large", torch.tensor(2**53 + 1))
        self.register_buffer("wide", torch.tensor(0.1, dtype=torch.float64))

    def encode(self, x):
        return self.f(x)[:, self.order].chunk(2, 1)

    def decode(self, z):
        return self.g(z)


def model():
    net = Net()
    return ll.wrap(encoder=net.encode, decoder=net.decode, latent_dim=3)
"""


@pytest.mark.parametrize("prefix", ["", "module.", "model._orig_mod."])
def test_every_buffer_keeps_its_type_and_value(tmp_path: Path, prefix: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "net.py").write_text(FILE)
    space: dict[str, Any] = {}
    exec(FILE, space)
    torch.manual_seed(3)
    net = space["Net"]()
    net.large.fill_(2**60 + 1)
    net.f[2].num_batches_tracked.fill_(2**40 + 1)
    torch.save({prefix + name: tensor for name, tensor in net.state_dict().items()}, tmp_path / "w.pt")
    run, adapter = tmp_path / "run", f"{tmp_path}/net.py:model"
    given = ["--weights", str(tmp_path / "w.pt"), "--data", "digits", "--out", str(run)]
    assert cli(["import", "--adapter", adapter, *given]) == 0
    assert cli(["import", "--adapter", adapter, *given]) == 0  # the same again is left as it is
    assert cli(["analyze", str(run), "--adapter", adapter, "--only", "encode,traverse", "-q"]) == 0
    assert "diverge" not in capsys.readouterr().err
    kept, loaded = load_file(run / "model.safetensors"), load_model(Run(run), adapter)
    for found in (kept, loaded.own.state_dict()):  # type: ignore[attr-defined]
        for name, tensor in net.state_dict().items():
            assert found[name].dtype == tensor.dtype
            torch.testing.assert_close(found[name], tensor, rtol=0, atol=0, equal_nan=True)
    x = torch.rand(3, 1, 8, 8)
    with torch.inference_mode():
        torch.testing.assert_close(loaded.encode(x).mean, net.eval().encode(x)[0])
    same = ll.wrap(encoder=net.encode, decoder=net.decode, latent_dim=3)
    assert load_model(Run(run), same) is same
    net.order.add_(1)
    with pytest.raises(InputError, match="order is not that of"):
        load_model(Run(run), same)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_weight_that_is_no_number_is_still_a_divergence(tmp_path: Path, value: float) -> None:
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    model = ll.wrap(encoder, latent_dim=2)
    with torch.no_grad():
        encoder[1].weight[0, 40] = value
    with pytest.raises(InputError, match=r"did the training diverge|means that are not finite"):
        import_model(model, tmp_path / "run", data="digits")


class Parts(nn.Module):
    """An encoder and a decoder that return what they are told to."""

    def __init__(self, encoded: Any = None, decoded: Any = None) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.encoded, self.decoded = encoded, decoded

    def encode(self, x: Tensor) -> Any:
        return self.encoded(len(x), x.flatten(1)[:, 20:22] * self.scale)

    def decode(self, z: Tensor) -> Any:
        return self.decoded(z[:, :1, None, None] * self.scale + torch.zeros(1, 1, 8, 8))


def parts(encoded: Any = None, decoded: Any = None, **options: Any) -> Any:
    made = Parts(encoded, decoded)
    encoder, decoder = made.encode if encoded else None, made.decode if decoded else None
    return ll.wrap(encoder, decoder, latent_dim=2, **options)


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        (lambda n, m: {"mean": m}, "the encoder returned a dict of mean; expected a Normal"),
        (
            lambda n, m: (m, m, m),
            r"encoder returned a tuple of \(2, 2\), \(2, 2\), \(2, 2\); expected .* only that",
        ),
        (lambda n, m: (m, torch.zeros(n, 1)), r"means and log-variances are \(2, 2\) and \(2, 1\)"),
        (lambda n, m: (m, torch.zeros(2)), r"means and log-variances are \(2, 2\) and \(2,\)"),
        (lambda n, m: (m, torch.full_like(m, -torch.inf)), "a variance of 0; expected a finite number above 0"),
        (lambda n, m: (m, torch.full_like(m, 100.0)), "a variance of inf; expected a finite number above 0"),
        (lambda n, m: (m, torch.full_like(m, torch.nan)), "a variance of nan; expected a finite number above 0"),
        (lambda n, m: m[:, None], r"means are \(2, 1, 2\); .*: codes with places are flattened .* \(d = 2\)"),
        (lambda n, m: None, "the encoder returned a NoneType"),
    ],
)
def test_what_an_encoder_returns_is_checked(tmp_path: Path, encoded: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        import_model(parts(encoded), tmp_path / "run", data="digits")
    assert len(str(caught.value)) <= 200


@pytest.mark.parametrize(
    ("decoded", "message"),
    [
        (lambda x: (x, x), r"the decoder returned a tuple of \(2, 1, 8, 8\), \(2, 1, 8, 8\); expected a tensor"),
        (lambda x: {"sample": x}, "the decoder returned a dict of sample; expected a tensor"),
        (lambda x: x.numpy(force=True), "the decoder returned a ndarray"),
        (lambda x: x[:, 0], "expected"),
        (lambda x: x * torch.nan, "expected numbers"),
    ],
)
def test_what_a_decoder_returns_is_checked(tmp_path: Path, decoded: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        import_model(parts(None, decoded), tmp_path / "run")
    assert len(str(caught.value)) <= 200


def test_a_variance_that_is_lost_in_some_row_is_refused_where_it_is_encoded(tmp_path: Path) -> None:
    """The first two rows are right, so that the import takes it."""
    model = parts(lambda n, m: (m, torch.where(m.sum(1, keepdim=True) > 1.5, 100.0, 0.0).expand_as(m)))
    run = import_model(model, tmp_path / "run", data="digits")
    with pytest.raises(InputError, match="a variance of inf"):
        ll.encode(run, adapter=model)
    assert not run.has("encode")


@pytest.mark.parametrize(("decoded", "told"), [(torch.tanh, True), (torch.sigmoid, False)])
def test_values_that_are_cut_are_told(
    tmp_path: Path, decoded: Any, told: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = "import latentlab as ll\nfrom torch import nn\n\n\ndef model():\n    layers = nn.Sequential("
    source += f"nn.Linear(2, 64), nn.{decoded.__name__.title()}(), nn.Unflatten(1, (1, 8, 8)))\n"
    Path("gan.py").write_text(source + "    return ll.wrap(decoder=layers, latent_dim=2)\n")
    torch.manual_seed(0)
    torch.save(nn.Sequential(nn.Linear(2, 64)).state_dict(), "w.pt")
    words = ["--adapter", "gan.py:model", "--weights", "w.pt", "--out", "run"]
    assert cli(["import", *words]) == 0
    assert cli(["analyze", "run", "--adapter", "gan.py:model", "--only", "encode,traverse", "-q"]) == 0
    said = capsys.readouterr().out
    assert ("of the decoded values are outside [0, 1], from −" in said.replace("-", "−")) is told
    cuts = [part.settings.get("cut") for part in Run(Path("run")).decodings().values()]
    assert any(cuts) is told
    if told:
        assert all(cut is None or (-1 <= cut["low"] < 0 and 0.1 < cut["share"] < 0.9) for cut in cuts)


def test_a_decoder_that_gives_no_numbers_is_refused() -> None:
    model = parts(None, lambda x: x / 0)
    with pytest.raises(InputError, match="values that are not finite"):
        ll.decode(model, np.ones((3, 2), np.float32))


@pytest.mark.parametrize(
    ("kept", "came"),
    [
        (torch.tensor([True, False]), torch.tensor([2, 0])),
        (torch.tensor([1, 2], dtype=torch.uint8), torch.tensor([300, 2])),
        (torch.tensor([1, 2], dtype=torch.int32), torch.tensor([2**40, 2])),
        (torch.tensor([1, 2], dtype=torch.float16), torch.tensor([1e6, 2.0])),
    ],
)
def test_a_buffer_that_would_wrap_or_overflow_is_refused(tmp_path: Path, kept: Tensor, came: Tensor) -> None:
    net = nn.Module()
    net.register_buffer("b", kept)
    with pytest.raises(InputError, match=r"b is .* has values that .* does not hold; save it as"):
        fit_weights(net, {"b": came}, tmp_path / "m.pt")
    fit_weights(net, {"b": kept.to(came.dtype)}, tmp_path / "m.pt")
    assert torch.equal(net.b, kept)


def test_an_encoder_that_changes_its_samples_or_computes_in_another_precision_is_refused(tmp_path: Path) -> None:
    class Shifted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(64, 2)

        def encode(self, x: Tensor) -> Tensor:
            return self.layer(x.mul_(2).sub_(1).flatten(1))

    with pytest.raises(InputError, match="encode changes the samples that it is given"):
        import_model(ll.wrap(Shifted().encode, latent_dim=2), tmp_path / "run", data="digits")
    double = nn.Sequential(nn.Flatten(), nn.Linear(64, 2)).double()
    with pytest.raises(InputError, match=r"same dtype.*: samples are float32, so call model.float\(\)$"):
        import_model(ll.wrap(double, latent_dim=2), tmp_path / "run", data="digits")


class Encoder(nn.Module):
    """Means, and beside them what a network calls its spread."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.mean, self.spread = nn.Linear(64, 2), nn.Linear(64, 2)

    def log_variance(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.mean(x.flatten(1)), self.spread(x.flatten(1)) - 3

    def std(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.log_variance(x)
        return mean, torch.exp(log_variance / 2)

    def normal(self, x: Tensor) -> torch.distributions.Normal:
        return torch.distributions.Normal(*self.std(x))

    def draw(self, x: Tensor) -> Tensor:
        mean, std = self.std(x)
        return mean + std * torch.randn_like(mean)


def test_codes_that_are_draws_are_refused_and_standard_deviations_are_noticed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = Encoder()
    with pytest.raises(InputError, match=r"other means for the same images the second time.*no draw from them"):
        import_model(ll.wrap(model.draw, latent_dim=2), tmp_path / "draw", data="digits")
    assert not (tmp_path / "draw").exists()
    for name in ("log_variance", "normal"):
        import_model(ll.wrap(getattr(model, name), latent_dim=2), tmp_path / name, data="digits")
    assert "above 0" not in caplog.text
    import_model(ll.wrap(model.std, latent_dim=2), tmp_path / "std", data="digits")
    (said,) = [record.message for record in caplog.records if "above 0" in record.message]
    assert "return torch.distributions.Normal(mean, std)" in said
    assert len(said) <= 200
