"""Folders of pythae: trained by pythae in this test, and equal to it; refused where they hold pickled code."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import latentlab as ll
from latentlab.errors import InputError
from latentlab.exchange.importing import import_run
from latentlab.models import Model, load_model
from latentlab.models.encoding import posterior

# pythae sets up logging and warns when it is imported, so it has a process of its own.
TRAIN = """
import pathlib, sys, numpy as np, torch, pythae.models as models, pythae.trainers as trainers
from pythae.pipelines import TrainingPipeline
from sklearn.datasets import load_digits

torch.manual_seed(0)
torch.set_num_threads(1)
bytes_ = (load_digits().images[:128, None] / 16 * 255).round().astype("uint8")
x = torch.from_numpy(bytes_).float() / 255
for name, loss in [pair.split(":") for pair in sys.argv[2:]]:
    folder = f"{sys.argv[1]}/{name}-{loss}"
    options = {"reconstruction_loss": loss} if loss else {}
    model = getattr(models, name)(getattr(models, name + "Config")(input_dim=(1, 8, 8), latent_dim=3, **options))
    kind = trainers.AdversarialTrainerConfig if name == "FactorVAE" else trainers.BaseTrainerConfig
    config = kind(output_dir=folder, num_epochs=2, per_device_train_batch_size=32, seed=5, no_cuda=True)
    TrainingPipeline(model=model, training_config=config)(x.numpy())
    final = next(pathlib.Path(folder).glob("*/final_model"))
    model = models.AutoModel.load_from_folder(str(final)).eval()
    with torch.no_grad():
        encoded = model.encoder(x)
        mean = encoded.embedding
        spread = encoded.get("log_covariance", torch.zeros(0))
        theirs = {"mean": mean, "log_variance": spread, "reconstruction": model.decoder(mean)["reconstruction"]}
        if name == "VAE":
            given = (theirs["reconstruction"], x, mean, torch.zeros_like(mean), mean)
            each = [[part[i : i + 1] for part in given] for i in range(9)]
            theirs["loss"] = torch.stack([model.loss_function(*image)[1] for image in each])
    np.savez(f"{folder}/theirs.npz", x=bytes_, final=str(final), **theirs)
"""
TRAINED = ["AE:", "VAE:mse", "VAE:bce", "BetaVAE:mse", "BetaTCVAE:mse", "FactorVAE:mse", "DisentangledBetaVAE:bce"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every model of `TRAINED`, trained by pythae for two epochs, and what it computes with them."""
    pytest.importorskip("pythae", reason="pythae is not installed: pip install -e '.[test]'")
    out = tmp_path_factory.mktemp("pythae")
    subprocess.run([sys.executable, "-W", "ignore", "-c", TRAIN, str(out), *TRAINED], check=True, capture_output=True)
    return out


def opened(trained: Path, name: str, out: Path) -> tuple[ll.Run, Model, dict[str, Any]]:
    """A trained model as a run of ours, and pythae's own numbers."""
    theirs = dict(np.load(trained / name.replace(":", "-") / "theirs.npz"))
    run = import_run("pythae", str(theirs["final"]), out, data="digits")
    return run, load_model(run), theirs


@pytest.mark.parametrize("name", TRAINED)
def test_it_computes_what_pythae_does(trained: Path, tmp_path: Path, name: str) -> None:
    run, model, theirs = opened(trained, name, tmp_path / "run")
    mean, variance = posterior(model, theirs["x"])
    np.testing.assert_allclose(mean, theirs["mean"], atol=1e-5)
    if name == "AE:":
        assert variance is None
    else:
        assert variance is not None
        np.testing.assert_allclose(np.log(variance), theirs["log_variance"], atol=1e-5)
    with torch.inference_mode():
        ours = model.decode(torch.from_numpy(mean)).mean.numpy()
    np.testing.assert_allclose(ours, theirs["reconstruction"], atol=1e-5)
    assert (run.config.batch_size, run.config.seed, run.state) == (32, 5, "finished")


@pytest.mark.parametrize("name", ["VAE:mse", "VAE:bce"])
def test_the_distortion_is_its_reconstruction_loss(trained: Path, tmp_path: Path, name: str) -> None:
    """Up to the constant of a Gaussian of σ = 1, ½ log 2π a pixel."""
    _, model, theirs = opened(trained, name, tmp_path / "run")
    with torch.inference_mode():
        z, x = torch.from_numpy(theirs["mean"][:9]), torch.from_numpy(theirs["x"][:9]).float() / 255
        distortion = -model.decode(z).log_prob(x)
    constant = 64 * 0.5 * np.log(2 * np.pi) if name == "VAE:mse" else 0
    np.testing.assert_allclose(distortion - constant, theirs["loss"], rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("AE:", "AE"),
        ("VAE:mse", "β = 1"),
        ("BetaVAE:mse", "β = 1"),
        ("FactorVAE:mse", "factor-vae, gamma = 2"),
    ],
)
def test_its_objective_goes_by_our_name(trained: Path, tmp_path: Path, name: str, label: str) -> None:
    assert opened(trained, name, tmp_path / "run")[0].config.label == label


def test_networks_of_its_own_are_pickled_code_and_never_loaded(trained: Path, tmp_path: Path) -> None:
    source = Path(str(np.load(trained / "VAE-mse" / "theirs.npz")["final"]))
    folder = tmp_path / "folder"
    shutil.copytree(source, folder)
    settings = json.loads((folder / "model_config.json").read_text())
    (folder / "model_config.json").write_text(json.dumps(settings | {"uses_default_encoder": False}))
    (folder / "encoder.pkl").write_bytes(b"not to be read")
    with pytest.raises(InputError, match="pickled code, which is never loaded"):
        import_run("pythae", folder, tmp_path / "run")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "VAMPConfig"}, "name is 'VAMPConfig'; expected one of AEConfig"),
        ({"name": "AEConfig"}, "does not contain the encoder named in its settings"),
        ({"input_dim": [64]}, r"input_dim is \[64\]; expected channels, height and width"),
        ({"input_dim": [1, 8, 9]}, r"encoder.layers.0.0.weight is \(512, 64\), expected \(512, 72\)"),
        ({"latent_dim": 0}, "expected a whole number"),
        ({"name": ["VAEConfig"]}, "expected one of AEConfig"),
    ],
)
def test_what_does_not_fit_is_named(trained: Path, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    source = Path(str(np.load(trained / "VAE-mse" / "theirs.npz")["final"]))
    settings = json.loads((source / "model_config.json").read_text())
    (tmp_path / "model_config.json").write_text(json.dumps(settings | changes))
    shutil.copyfile(source / "model.pt", tmp_path / "model.pt")
    with pytest.raises(InputError, match=message):
        import_run("pythae", tmp_path, tmp_path / "run")


@pytest.mark.parametrize("head", [torch.zeros(3, 5), torch.zeros(())])
def test_heads_that_do_not_belong_together(tmp_path: Path, head: torch.Tensor) -> None:
    (tmp_path / "model_config.json").write_text('{"name": "VAEConfig", "input_dim": [1, 8, 8], "latent_dim": 3}')
    state = {f"encoder.{name}.{kind}": head for name in ("embedding", "log_var") for kind in ("weight", "bias")}
    state["encoder.embedding.weight"] = head if head.ndim == 0 else torch.zeros(3, 512)
    torch.save({"model_state_dict": state}, tmp_path / "model.pt")
    with pytest.raises(InputError, match="does not contain the encoder named in its settings"):
        import_run("pythae", tmp_path, tmp_path / "run")


KINDS = {
    "AEConfig": "ae", "VAEConfig": "vae", "BetaVAEConfig": "beta-vae", "BetaTCVAEConfig": "beta-tcvae",
    "FactorVAEConfig": "factor-vae", "DisentangledBetaVAEConfig": "annealed-vae",
}  # fmt: skip


class Theirs(torch.nn.Module):
    """That library's default networks: one hidden layer of 512, a layer for each statistic, a sigmoid at the end."""

    def __init__(self, shape: tuple[int, int, int], d: int, *, variance: bool) -> None:
        super().__init__()
        n, self.shape = int(np.prod(shape)), shape
        encoder: dict[str, torch.nn.Module] = {"layers": torch.nn.ModuleList([_layer(n, 512)])}
        encoder["embedding"] = torch.nn.Linear(512, d)
        if variance:
            encoder["log_var"] = torch.nn.Linear(512, d)
        layers = torch.nn.ModuleList([_layer(d, 512), torch.nn.Sequential(torch.nn.Linear(512, n), torch.nn.Sigmoid())])
        self.encoder, self.decoder = torch.nn.ModuleDict(encoder), torch.nn.ModuleDict({"layers": layers})

    def compute(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor]:
        h = self.encoder["layers"][0](x.flatten(1))  # type: ignore[index]
        mean = self.encoder["embedding"](h)
        found = mean
        for layer in self.decoder["layers"]:  # type: ignore[union-attr]
            found = layer(found)
        log_variance = self.encoder["log_var"](h) if "log_var" in self.encoder else None
        return mean, log_variance, found.reshape(-1, *self.shape)


def _layer(inputs: int, outputs: int) -> torch.nn.Sequential:
    return torch.nn.Sequential(torch.nn.Linear(inputs, outputs), torch.nn.ReLU())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 28, 20)])
def test_checkpoints_that_are_not_at_hand(tmp_path: Path, kind: str, shape: tuple[int, int, int]) -> None:
    """Any of its models at any size, as their state dict lies in a file; a FactorVAE brings its discriminator along."""
    theirs = Theirs(shape, 7, variance=kind != "AEConfig").eval()
    state = theirs.state_dict()
    if kind == "FactorVAEConfig":
        state |= {"discriminator.layers.0.0.weight": torch.zeros(3, 7), "discriminator.layers.0.0.bias": torch.zeros(3)}
    torch.save({"model_state_dict": state}, tmp_path / "model.pt")
    settings = {"name": kind, "input_dim": shape, "latent_dim": 7, "reconstruction_loss": "bce", "beta": 3.0}
    (tmp_path / "model_config.json").write_text(json.dumps(settings))
    run = import_run("pythae", tmp_path, tmp_path / "run")
    assert run.config.objective["name"] == KINDS[kind]
    model, x = load_model(run), torch.rand(3, *shape)
    with torch.inference_mode():
        mean, log_variance, images = theirs.compute(x)
        q = model.encode(x)
        torch.testing.assert_close(q.mean, mean, rtol=0, atol=1e-5)
        torch.testing.assert_close(model.decode(mean).mean, images, rtol=0, atol=1e-5)
        if log_variance is not None:
            torch.testing.assert_close(q.variance.log(), log_variance, rtol=0, atol=1e-5)
