"""Models of anyone's: wrapped in a few lines, imported as runs, run only where the user names the file."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.distributions import Independent, Normal

import latentlab as ll
from latentlab.cli import run as cli
from latentlab.errors import InputError, MissingError
from latentlab.exchange.importing import import_model
from latentlab.models import Model, Point, load_model
from latentlab.runs.run import Run


class ForeignVAE(nn.Module):
    """A VAE as people write it: methods encode and decode, a sigmoid at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.mu, self.log_var = nn.Linear(64, 32), nn.Linear(32, 3), nn.Linear(32, 3)
        self.out = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 64), nn.Sigmoid())

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.hidden(x.flatten(1)).relu()
        return self.mu(h), self.log_var(h)

    def decode(self, z: Tensor) -> Tensor:
        return self.out(z).view(-1, 1, 8, 8)


def ten_lines(out: Path) -> Run:
    vae = ForeignVAE()
    model = ll.wrap(encoder=vae.encode, decoder=vae.decode, latent_dim=3)
    run = ll.import_model(model, out, data="digits")
    ll.analyze(run, only=["encode", "traverse"], adapter=model)
    return run


def test_a_foreign_module_takes_ten_lines(tmp_path: Path) -> None:
    assert len(inspect.getsource(ten_lines).strip().splitlines()) <= 10
    run = ten_lines(tmp_path / "run")
    assert run.codes().mean.shape == (1797, 3)
    assert run.codes().variance is not None
    assert len(run.decodings()) == 3
    assert (run.state, run.config.label) == ("finished", "own Wrapped")


def encoder_only(out: Path) -> Run:
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    model = ll.wrap(encoder, latent_dim=3)
    run = ll.import_model(model, out, data="digits")
    ll.analyze(run, only=["encode", "score"], metrics=["mig"], resamples=0, adapter=model)
    return run


def deterministic(out: Path) -> Run:
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    decoder = nn.Sequential(nn.Linear(3, 64), nn.Sigmoid(), nn.Unflatten(1, (1, 8, 8)))
    model = ll.wrap(encoder, decoder, latent_dim=3)
    run = ll.import_model(model, out, data="digits", objective={"name": "ae"})
    ll.analyze(run, only=["encode", "traverse"], adapter=model)
    return run


class Protocol(nn.Module):
    """What satisfies the protocol needs no wrapping."""

    latent_dim = 3

    def __init__(self) -> None:
        super().__init__()
        self.vae = ForeignVAE()

    def encode(self, x: Tensor) -> Normal:
        mean, log_var = self.vae.encode(x)
        return Normal(mean, (0.5 * log_var).exp())

    def decode(self, z: Tensor) -> Independent:
        return Independent(Normal(self.vae.decode(z), 0.1), 3)


def protocol(out: Path) -> Run:
    model = Protocol()
    run = ll.import_model(model, out, data="digits")
    ll.analyze(run, only=["encode", "traverse"], adapter=model)
    return run


@pytest.mark.parametrize("lines", [encoder_only, deterministic, protocol])
def test_so_do_the_other_forms(tmp_path: Path, lines: Callable[[Path], Run]) -> None:
    assert len(inspect.getsource(lines).strip().splitlines()) <= 10
    run = lines(tmp_path / "run")
    codes = run.codes()
    assert (codes.variance is None) == (lines is not protocol)
    assert run.has("traverse") == (lines is not encoder_only)
    if lines is deterministic:
        assert set(run.decodings()) == {"traversals-aggregate", "reconstructions"}


def test_a_file_that_the_adapter_imports_is_part_of_it(adapter: Path, tmp_path: Path) -> None:
    run = import_model(f"{adapter}:both", tmp_path / "run", data="digits")
    recorded = run.config.adapter
    assert recorded is not None
    assert list(recorded.modules) == ["beside.py"]
    ll.analyze(run, only=["encode"], adapter=f"{adapter}:both")
    beside = adapter.with_name("beside.py")
    beside.write_text("size = 2 + 2\n")
    with pytest.raises(InputError, match=r"imports beside\.py, which is not the file"):
        ll.analyze(run, only=["encode"], adapter=f"{adapter}:both")
    beside.unlink()
    with pytest.raises(InputError, match=r"imports beside\.py, which is not the file"):
        load_model(run, f"{adapter}:both")
    beside.write_text("size = 4\n")
    assert load_model(run, f"{adapter}:both").latent_dim == 4


def test_a_wrong_adapter_is_told_also_where_all_is_up_to_date(adapter: Path, tmp_path: Path) -> None:
    run = import_model(f"{adapter}:both", tmp_path / "run", data="digits")
    ll.analyze(run, only=["encode"], adapter=f"{adapter}:both")
    ll.analyze(run, only=["encode"])  # up to date: nothing to run
    for wrong, message in (
        ("none.py:both", "does not exist"),
        (f"{adapter}:pair", r"imported with own\.py:both, not pair"),
    ):
        with pytest.raises(InputError, match=message):
            ll.analyze(run, only=["encode"], adapter=wrong)
    adapter.write_text(ADAPTER + "\n")
    with pytest.raises(InputError, match="is not the file"):
        ll.analyze(run, only=["encode"], adapter=f"{adapter}:both")
    trained = ll.train("digits", tmp_path / "trained", steps=1, latent_dim=2)
    with pytest.raises(InputError, match="was not imported with an adapter"):
        ll.analyze(trained, only=["encode"], adapter=f"{adapter}:both")


def test_an_encoder_needs_data(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs its data; name them: --data SPEC"):
        import_model(ll.wrap(nn.Flatten(), latent_dim=64), tmp_path / "run")


X, Z = torch.rand(4, 1, 8, 8), torch.randn(4, 3)


class Returns(nn.Module):
    """A module that returns what a function makes of its input."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function, self.weight = function, nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Any:
        return self.function(x)


MEAN = X.flatten(1)[:, :3]
ENCODERS: dict[str, tuple[Callable[[Tensor], Any], type]] = {
    "normal": (lambda x: Normal(MEAN, 2 * torch.ones_like(MEAN)), Normal),
    "independent": (lambda x: Independent(Normal(MEAN, 2 * torch.ones_like(MEAN)), 1), Normal),
    "pair": (lambda x: (MEAN, torch.full_like(MEAN, 2 * np.log(2))), Normal),
    "list": (lambda x: [MEAN, torch.full_like(MEAN, 2 * np.log(2))], Normal),
    "tensor": (lambda x: MEAN, Point),
}


@pytest.mark.parametrize("form", ENCODERS)
def test_what_an_encoder_may_return(form: str) -> None:
    function, kind = ENCODERS[form]
    model = ll.wrap(Returns(function), latent_dim=3)
    q = model.encode(X)
    assert isinstance(model, Model)
    assert isinstance(q, kind)
    torch.testing.assert_close(q.mean, MEAN)
    if isinstance(q, Normal):
        torch.testing.assert_close(q.stddev, 2 * torch.ones_like(MEAN))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: {"mean": MEAN}, "returned a dict of mean; expected a Normal"),
        (lambda x: (MEAN, MEAN, MEAN), "returned a tuple"),
        (lambda x: MEAN[:, :2], r"means are \(4, 2\); expected \(n, d\) with d = 3"),
        (lambda x: x, r"means are \(4, 1, 8, 8\)"),
    ],
)
def test_what_it_may_not_return(function: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ll.wrap(Returns(function), latent_dim=3).encode(X)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian", "laplace"])
@pytest.mark.parametrize("logits", [False, True])
def test_what_a_decoder_returns_is_the_mean(likelihood: Any, logits: bool) -> None:
    outputs = torch.randn(4, 1, 8, 8) if logits else torch.rand(4, 1, 8, 8) * 0.98 + 0.01
    p = ll.wrap(None, Returns(lambda z: outputs), latent_dim=3, likelihood=likelihood, sigma=0.5, logits=logits).decode(
        Z
    )
    mean = outputs.sigmoid() if logits else outputs
    torch.testing.assert_close(p.mean, mean)
    expected = {
        "bernoulli": lambda: X * mean.log() + (1 - X) * (1 - mean).log(),
        "gaussian": lambda: -((X - mean) ** 2) / 0.5 - 0.5 * np.log(2 * np.pi * 0.25),
        "laplace": lambda: -(X - mean).abs() / 0.5 - np.log(2 * 0.5),
    }[likelihood]()
    torch.testing.assert_close(p.log_prob(X), expected.flatten(1).sum(1), rtol=1e-4, atol=1e-4)


def test_a_distribution_of_its_own_is_taken_as_it_is() -> None:
    loose = Normal(torch.zeros(4, 1, 8, 8), 3.0)
    whole = Independent(loose, 3)
    for given in (loose, whole):
        p = ll.wrap(None, Returns(lambda z, given=given: given), latent_dim=3).decode(Z)
        torch.testing.assert_close(p.log_prob(X), whole.log_prob(X))


def test_what_wrap_refuses() -> None:
    with pytest.raises(InputError, match="needs an encoder, a decoder or both"):
        ll.wrap(latent_dim=3)
    with pytest.raises(InputError, match="likelihood is 'poisson'"):
        ll.wrap(nn.Identity(), latent_dim=3, likelihood="poisson")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="expected a torch module or a method of one"):
        ll.wrap(lambda x: x, latent_dim=3)
    with pytest.raises(InputError, match="no decoder"):
        ll.wrap(nn.Identity(), latent_dim=3).decode(Z)
    with pytest.raises(InputError, match="no encoder"):
        ll.wrap(None, nn.Identity(), latent_dim=3).encode(X)
    for wrong in (0, -1, 2.5, "3", None, True):
        with pytest.raises(InputError, match="latent_dim is"):
            ll.wrap(nn.Identity(), latent_dim=wrong)  # type: ignore[arg-type]
    for wrong in (0, -1.0, float("nan"), float("inf"), "x"):
        with pytest.raises(InputError, match="sigma is"):
            ll.wrap(nn.Identity(), latent_dim=3, likelihood="gaussian", sigma=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("encoder", "decoder", "message"),
    [
        (lambda x: torch.full((len(x), 3), torch.nan), None, "encode returned means that are not finite"),
        (
            lambda x: torch.zeros(len(x), 3),
            lambda z: torch.full((len(z), 1, 8, 8), -3.0),
            r"means from -3 to -3; expected \[0, 1\]: pass logits=True",
        ),
        (None, lambda z: torch.full((len(z), 1, 8, 8), torch.nan), "means from nan to nan; expected numbers"),
    ],
)
def test_a_model_that_gives_what_cannot_be_used(tmp_path: Path, encoder: Any, decoder: Any, message: str) -> None:
    parts = [part and Returns(part) for part in (encoder, decoder)]
    for part in filter(None, parts):
        part.weight = nn.Parameter(torch.zeros(1))
    with pytest.raises(InputError, match=message):
        import_model(ll.wrap(*parts, latent_dim=3), tmp_path / "run", data="digits")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("part", ["encode", "decode"])
def test_a_module_whose_methods_return_tensors_is_told_of_wrap(tmp_path: Path, part: str) -> None:
    """As most VAEs are written: encode gives (mean, log-variance), decode gives images."""

    class Usual(nn.Module):
        latent_dim = 3

        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Linear(64, 6)

        def encode(self, x: Tensor) -> Any:
            mean, log_variance = self.body(x.flatten(1)).chunk(2, dim=1)
            return (mean, log_variance) if part == "encode" else Normal(mean, torch.exp(log_variance / 2))

        def decode(self, z: Tensor) -> Tensor:
            return torch.zeros(len(z), 1, 8, 8)

    with pytest.raises(InputError, match=f"{part} returned a .*; expected a .*: return ll.wrap") as caught:
        import_model(Usual(), tmp_path / "run", data="digits")
    assert "\n" not in str(caught.value)


def test_weights_and_objectives_that_are_no_numbers(tmp_path: Path) -> None:
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    with pytest.raises(InputError, match="expected a number as beta"):
        import_model(
            ll.wrap(encoder, latent_dim=3), tmp_path / "run", data="digits", objective={"name": "vae", "beta": np.nan}
        )

    class Diverged(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.unused = nn.Parameter(torch.tensor([np.inf]))
            self.encoder = encoder

        def encode(self, x: Tensor) -> Tensor:
            return self.encoder(x)

    with pytest.raises(InputError, match=r"weight encoder\.unused is not finite; did the training diverge"):
        import_model(ll.wrap(Diverged().encode, latent_dim=3), tmp_path / "run", data="digits")
    assert not (tmp_path / "run").exists()


ADAPTER = """
import torch
from torch import nn
import latentlab as ll
from beside import size

class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 2 * size))
        self.decoder = nn.Sequential(nn.Linear(size, 64), nn.Unflatten(1, (1, 8, 8)))
    def encode(self, x):
        return self.encoder(x).chunk(2, dim=1)

def both():
    own = Own()
    return ll.wrap(own.encode, own.decoder, latent_dim=size, logits=True)

def pair():
    own = Own()
    return ll.wrap(own.encoder[:2], None, latent_dim=2 * size)

def encoder():
    return ll.wrap(Own().encode, latent_dim=size)

def decoder():
    return ll.wrap(None, Own().decoder, latent_dim=size)

ready = encoder()
number = 3

def broken():
    raise KeyError("layers")

def ends():
    raise SystemExit(0)

def shapeless():
    return ll.wrap(None, nn.Linear(size, 9), latent_dim=size)
"""


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    (tmp_path / "beside.py").write_text("size = 4\n")
    (tmp_path / "own.py").write_text(ADAPTER)
    return tmp_path / "own.py"


def weights(adapter: Path, name: str, suffix: str = "safetensors") -> Path:
    """A checkpoint of the model that NAME makes, of other weights than it starts with."""
    from latentlab.models.adapter import run_adapter
    from latentlab.models.load import own

    torch.manual_seed(3)
    state = {
        key: torch.randn_like(tensor) / 8 for key, tensor in own(run_adapter(f"{adapter}:{name}")).state_dict().items()
    }
    path = adapter.parent / f"{name}.{suffix}"
    save_file(state, path) if suffix == "safetensors" else torch.save(state, path)
    return path


@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
def test_from_the_command_line(adapter: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint, out = weights(adapter, "pair", suffix), tmp_path / "run"
    command = [
        "import",
        "--adapter",
        f"{adapter}:pair",
        "--weights",
        str(checkpoint),
        "--data",
        "digits",
        "--beta",
        "4",
    ]
    assert cli([*command, "--out", str(out)]) == 0
    assert cli([*command, "--out", str(out)]) == 0
    assert sorted(f.name for f in out.iterdir() if not f.name.startswith(".")) == ["config.json", "model.safetensors"]
    run = Run(out)
    recorded = run.config.adapter
    assert recorded is not None
    assert (recorded.file, recorded.name, recorded.encodes, recorded.decodes) == ("own.py", "pair", True, False)
    assert run.config.label == "β = 4"
    assert load_file(run.model_path).keys() == {"encoder.1.weight", "encoder.1.bias"}
    capsys.readouterr()
    assert cli(["analyze", str(out), "--only", "encode"]) == 2
    assert "name it: --adapter own.py:pair" in capsys.readouterr().err
    assert cli(["analyze", str(out), "--only", "encode", "--adapter", f"{adapter}:pair"]) == 0
    adapter.unlink()  # what needs only codes works without
    assert cli(["analyze", str(out), "--only", "encode"]) == 0
    assert cli(["score", str(out), "--metric", "unsupervised"]) == 0


def test_the_weights_are_the_file_s(adapter: Path, tmp_path: Path) -> None:
    run = import_model(f"{adapter}:both", tmp_path / "run", data="digits", weights=weights(adapter, "both"))
    model = load_model(run, f"{adapter}:both")
    with torch.inference_mode():
        z = torch.randn(2, 4)
        state = load_file(tmp_path / "both.safetensors")
        expected = z @ state["decoder.0.weight"].T + state["decoder.0.bias"]
        torch.testing.assert_close(model.decode(z).mean.flatten(1), expected.sigmoid())


def test_a_run_never_runs_its_adapter_by_itself(adapter: Path, tmp_path: Path) -> None:
    run = import_model(f"{adapter}:both", tmp_path / "run", data="digits", weights=weights(adapter, "both"))
    adapter.write_text(ADAPTER + f"\nopen({str(tmp_path / 'song')!r}, 'w')\n")
    with pytest.raises(InputError, match="name it:"):
        ll.encode(Run(run.path))
    with pytest.raises(InputError, match=r"not the file that .* was imported with \(own\.py, SHA-256"):
        ll.encode(Run(run.path), adapter=f"{adapter}:both")
    assert not (tmp_path / "song").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "has no nothing; it has: Own, both"),
        ("number", "returned a int; expected ll.wrap"),
        ("broken", "broken failed: KeyError: 'layers'"),
        ("ends", "ends failed: SystemExit: 0"),
        ("Own", "returned a Own; expected ll.wrap"),
        ("shapeless", r"decode returned means \(2, 9\); expected \(2, 1, 8, 8\), as digits has them"),
    ],
)
def test_adapters_that_make_no_model(adapter: Path, tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        import_model(f"{adapter}:{name}", tmp_path / "run", data="digits")
    assert not (tmp_path / "run").exists()


def test_names_of_adapters(adapter: Path, tmp_path: Path) -> None:
    for wrong in ("own", "own.py", f"{adapter}:", f"{adapter}:a.b", "own.txt:both"):
        with pytest.raises(InputError, match=r"expected FILE\.py:NAME"):
            import_model(wrong, tmp_path / "run", data="digits")
    with pytest.raises(MissingError, match="does not exist"):
        import_model("none.py:both", tmp_path / "run", data="digits")
    adapter.write_text("import nothing_of_that_name")
    with pytest.raises(InputError, match="failed: ModuleNotFoundError"):
        import_model(f"{adapter}:both", tmp_path / "run", data="digits")


def test_a_model_that_is_made_already_is_taken(adapter: Path, tmp_path: Path) -> None:
    run = import_model(f"{adapter}:ready", tmp_path / "run", data="digits")
    assert run.config.adapter is not None
    assert not run.decodes


def test_weights_of_another_model_are_refused(adapter: Path, tmp_path: Path) -> None:
    torch.save({"encoder.1.weight": torch.zeros(8, 64)}, tmp_path / "other.pt")
    with pytest.raises(InputError, match=r"other\.pt lacks the weight decoder\.0\.bias"):
        import_model(f"{adapter}:both", tmp_path / "run", data="digits", weights=tmp_path / "other.pt")


def test_a_model_in_python_must_have_the_run_s_weights(tmp_path: Path) -> None:
    vae = ForeignVAE()
    model = ll.wrap(vae.encode, vae.decode, latent_dim=3)
    run = import_model(model, tmp_path / "run", data="digits")
    assert load_model(run, model) is model
    with torch.no_grad():
        vae.mu.bias += 1
    with pytest.raises(InputError, match=r"the model's mu\.bias is not that of"):
        load_model(run, model)


def test_only_runs_of_adapters_take_one(tmp_path: Path) -> None:
    run = ll.train("digits", tmp_path / "run", steps=1, latent_dim=2)
    with pytest.raises(InputError, match="was not imported with an adapter"):
        load_model(run, "own.py:both")


def test_an_encoder_alone(adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentlab.analysis.project.stage.project_run", lambda run, rows: None)
    run = import_model(f"{adapter}:encoder", tmp_path / "run", data="digits")
    model = f"{adapter}:encoder"
    assert ll.analyze(run, adapter=model, metrics=["unsupervised"]) == ("encode", "project", "score")
    assert run.codes().variance is not None
    assert run.codes().distortion is None or np.isnan(run.codes().distortion).all()
    for act in (
        lambda: ll.analyze(run, only=["traverse"], adapter=model),
        run.decodings,
        lambda: ll.figures.traversals(run),
    ):
        with pytest.raises(InputError, match="has no decoder"):
            act()


def test_a_decoder_alone(adapter: Path, tmp_path: Path) -> None:
    """Its codes are draws from the prior, so that it can be traversed and looked at like any other."""
    run = import_model(f"{adapter}:decoder", tmp_path / "run", data="digits")
    codes = ll.encode(run)
    assert codes.mean.shape == (10_000, 4)
    assert codes.variance is None
    np.testing.assert_allclose(codes.mean.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(codes.mean.std(axis=0), 1, atol=0.05)
    ll.analyze(run, only=["encode", "traverse"], adapter=f"{adapter}:decoder")
    parts = run.decodings()
    assert set(parts) == {"traversals-prior", "traversals-aggregate"}
    assert parts["traversals-prior"].images.shape == (4, 9, 1, 8, 8)
    assert ll.figures.traversals(run) is not None


def test_old_configurations_have_no_adapter(tmp_path: Path) -> None:
    run = ll.train("digits", tmp_path / "run", steps=1, latent_dim=2)
    text = (run.path / "config.json").read_text()
    kept = [line for line in text.splitlines() if '"adapter"' not in line and '"imported"' not in line]
    (run.path / "config.json").write_text("\n".join(kept))
    assert Run(run.path).config == run.config
    assert len(kept) == len(text.splitlines()) - 2
