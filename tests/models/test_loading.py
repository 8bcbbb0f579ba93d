"""Where a loaded model ends up."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from latentlab.errors import InputError
from latentlab.exchange.exporters.huggingface import save_pretrained
from latentlab.exchange.importers.huggingface import from_pretrained
from latentlab.models import Autoencoder, build, load_model
from latentlab.models.load import encoding_threads, here
from latentlab.runs.config import Adapter, Hardware, RunConfig
from latentlab.runs.run import Run
from latentlab.training.train import train


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device")
def test_a_device_that_is_missing_gives_way_to_the_cpu() -> None:
    assert here(Hardware(device="cuda:0", threads=3)) == Hardware(device="cpu", threads=3)
    assert here(Hardware(device="cpu")) == Hardware(device="cpu")


def _announcing(folder: Path, image_shape: tuple[int, int, int]) -> Run:
    """A run of a few kilobytes of weights whose configuration says something else."""
    save_file({"encoder.1.weight": torch.zeros(4, 4)}, folder / "model.safetensors", metadata={"step": "1"})
    content = {"data": "any", "rows": 1, "image_shape": image_shape, "network": "mlp", "steps": 1, "learning_rate": 1}
    (folder / "config.json").write_text(json.dumps({**content, "objective": {"name": "vae"}}))
    return Run(folder)


@pytest.mark.parametrize("image_shape", [(3, 700, 700), (64, 4096, 4096)])
@pytest.mark.parametrize("verb", ["load", "export", "pretrained"])
def test_sizes_that_the_weights_do_not_have_are_refused_before_they_are_allocated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image_shape: tuple[int, int, int], verb: str
) -> None:
    def frugal(config: RunConfig) -> Autoencoder:
        assert torch.empty(1).device.type == "meta"
        return build(config)

    monkeypatch.setattr("latentlab.models.load.build", frugal)
    monkeypatch.setattr("latentlab.exchange.importers.huggingface.build", frugal)
    (tmp_path / "run").mkdir()
    run = _announcing(tmp_path / "run", image_shape)
    config = json.loads((run.path / "config.json").read_text())
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "model.safetensors").write_bytes(run.model_path.read_bytes())
    (tmp_path / "shared" / "config.json").write_text(json.dumps({**config, "library_name": "latentlab"}))
    verbs: dict[str, Callable[[], Any]] = {
        "load": lambda: load_model(run),
        "export": lambda: save_pretrained(run, tmp_path / "out"),
        "pretrained": lambda: from_pretrained(tmp_path / "shared"),
    }
    with pytest.raises(InputError, match=r"encoder\.1\.weight|lacks the weight"):
        verbs[verb]()


def test_a_trial_of_the_sizes_draws_nothing(tmp_path: Path) -> None:
    """What is seeded before a model is loaded goes on as it would."""
    run = train("digits", tmp_path / "run", steps=2, latent_dim=2, threads=1)
    states = []
    for _ in range(2):
        torch.manual_seed(0)
        with torch.device("meta"):
            build(run.config)
        states.append(torch.random.get_rng_state())
        torch.manual_seed(0)
        states.append(torch.random.get_rng_state())
    assert all(torch.equal(states[0], state) for state in states)


def test_a_model_of_the_users_own_is_called_from_one_thread_others_from_as_many_as_the_process_has(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    run = train("digits", tmp_path / "run", steps=2, latent_dim=2, threads=1)
    assert encoding_threads(run) == 3
    for update, expected in (
        ({"hardware": Hardware(device="cuda:0", threads=1)}, 1 if torch.cuda.is_available() else 3),
        ({"adapter": Adapter(name="mine")}, 1),
    ):
        (run.path / "config.json").write_text(run.config.model_copy(update=update).model_dump_json())
        assert encoding_threads(Run(run.path)) == expected
