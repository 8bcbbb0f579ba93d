"""A file of weights for one of our own networks: which one, and of what latent size, is read off the weights."""

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import latentlab as ll
from latentlab.errors import InputError
from latentlab.exchange.importing import import_run
from latentlab.models import Autoencoder, Point, build, load_model
from latentlab.runs.config import RunConfig
from latentlab.system.registry import names


def untrained(network: str, size: int, *, stochastic: bool) -> Autoencoder:
    torch.manual_seed(1)
    return build(
        RunConfig(
            data="any",
            rows=1,
            image_shape=(1, size, size),
            network=network,
            latent_dim=3,
            stochastic=stochastic,
            objective={"name": "vae", "beta": 1.0},
            steps=1,
            learning_rate=1,
        )
    ).eval()


@pytest.mark.parametrize("network", [name for name in names("models/networks") if name != "conv1d"])
@pytest.mark.parametrize("stochastic", [True, False])
def test_the_network_is_found(tmp_path: Path, network: str, stochastic: bool) -> None:
    model = untrained(network, 32, stochastic=stochastic)
    save_file(model.state_dict(), tmp_path / "w.safetensors")
    data = ll.data.load("dsprites:size=32,grid=1x1x2x3x3")
    run = import_run("state-dict", tmp_path / "w.safetensors", tmp_path / "run", data=data)
    assert (run.config.network, run.config.latent_dim, run.config.stochastic) == (network, 3, stochastic)
    x = torch.rand(2, 1, 32, 32)
    with torch.inference_mode():
        ours, theirs = load_model(run).encode(x), model.encode(x)
    assert isinstance(ours, Point) is not stochastic
    torch.testing.assert_close(ours.mean, theirs.mean)


def test_what_does_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save(untrained("mlp", 8, stochastic=True).state_dict(), path)
    with pytest.raises(InputError, match="name the data: --data SPEC"):
        import_run("state-dict", path, tmp_path / "run")
    with pytest.raises(InputError, match="does not fit the network shallow on images 1×8×8"):
        import_run("state-dict", path, tmp_path / "run", data="digits", network="shallow")
    with pytest.raises(InputError, match="no network is called 'mpl'"):
        import_run("state-dict", path, tmp_path / "run", data="digits", network="mpl")
    with pytest.raises(InputError, match="does not fit any network on images 1×16×16"):
        import_run("state-dict", path, tmp_path / "run", data="dsprites:size=16,grid=1x1x2x3x3")
    with pytest.raises(InputError, match="the likelihood poisson is not for images"):
        import_run("state-dict", path, tmp_path / "run", data="digits", likelihood="poisson")
    torch.save({"w": torch.zeros(2)}, path)
    with pytest.raises(InputError, match="does not fit any network"):
        import_run("state-dict", path, tmp_path / "run", data="digits")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("post_quant_conv.weight", "the codes of an AutoencoderKL are maps with places, not (n, d); wrap what"),
        ("model.quantizer.embedding.weight", "a VQ model's codes are indices, not (n, d); wrap what"),
    ],
)
def test_models_whose_codes_are_no_vectors_are_refused_in_one_line(tmp_path: Path, name: str, what: str) -> None:
    save_file({"encoder.conv_in.weight": torch.zeros(8, 3, 3, 3), name: torch.zeros(4, 4)}, tmp_path / "w.safetensors")
    with pytest.raises(InputError, match=re.escape(what)):
        import_run("state-dict", tmp_path / "w.safetensors", tmp_path / "run", data="scenes")
    kind = "VQModel" if "quantizer" in name else "AutoencoderKL"
    (tmp_path / "config.json").write_text(json.dumps({"_class_name": kind, "latent_channels": 4}))
    with pytest.raises(InputError, match=re.escape(f"is of {kind}: {what}")):
        import_run("huggingface", tmp_path, tmp_path / "run")
