"""Configurations: frozen, bounded, and wrong in one line."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from latentlab.errors import InputError
from latentlab.runs.config import Hardware, RunConfig, read_config
from latentlab.system.files import write_json
from latentlab.system.validation import validate

GOOD: dict[str, Any] = {
    "data": "digits",
    "rows": 1797,
    "form": {"kind": "image", "shape": (1, 8, 8), "stored": "uint8", "scale": (255.0,)},
    "network": "mlp",
    "objective": {"name": "beta-vae", "beta": 4.0},
    "steps": 100,
    "learning_rate": 1e-3,
}


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"name": "csv", "file": "patients.csv"}, "patients.csv"),
        ({"name": "digits"}, "digits"),
        ({"name": "dsprites-published", "file": "d.npz"}, "dsprites-published"),
        ({"name": "fashion-mnist", "file": "train-images-idx3-ubyte"}, "fashion-mnist"),
        ({"name": "mine-published", "file": "mine.npz"}, "mine.npz"),
        ({"name": "pbmc68k-reduced", "package": "scanpy", "file": "p.h5ad"}, "pbmc68k-reduced"),
        ({"name": "images", "files": 12}, "x.npy"),
        ({}, "x.npy"),
    ],
)
def test_data_are_called_by_their_name_or_their_file(source, told):
    assert RunConfig.model_construct(source=source, data="folder/x.npy").data_name == told


def test_it_comes_back_from_the_disk(tmp_path: Path) -> None:
    config = validate(RunConfig, GOOD, "test")
    write_json(tmp_path / "config.json", config.model_dump(mode="json"))
    assert read_config(tmp_path / "config.json") == config


def test_it_is_frozen() -> None:
    with pytest.raises(ValidationError):
        validate(RunConfig, GOOD, "test").seed = 3


@pytest.mark.parametrize(
    ("objective", "beta", "label"),
    [
        ({"name": "ae"}, None, "AE"),
        ({"name": "vae", "beta": 1.0}, 1, "β = 1"),
        ({"name": "beta-vae", "beta": 0.5}, 0.5, "β = 0.5"),
        ({"name": "beta-vae", "beta": 4.0, "warmup_steps": 0, "free_bits": 0.0}, 4, "β = 4"),
        ({"name": "beta-vae", "beta": 4.0, "warmup_steps": 500, "free_bits": 0.0}, 4, "β = 4, warmup_steps = 500"),
        ({"name": "beta-tcvae", "beta": 6.0}, 6, "beta-tcvae, beta = 6"),
        ({"name": "factor-vae", "gamma": 10.0}, None, "factor-vae, gamma = 10"),
        ({"name": "wae"}, None, "wae"),
        ({"name": "beta-vae", "beta": 0.12345678}, 0.12345678, "β = 0.12345678"),
    ],
)
def test_its_label(objective: dict[str, Any], beta: float | None, label: str) -> None:
    config = validate(RunConfig, {**GOOD, "objective": objective}, "test")
    assert (config.beta, config.label) == (beta, label)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"latent_dim": 0}, "latent_dim is 0; input should be greater than or equal to 1"),
        ({"latent_dim": 10**9}, "latent_dim is 1000000000"),
        ({"batch_size": 10**9}, "batch_size is 1000000000"),
        ({"form": {**GOOD["form"], "shape": (1, 10**6, 10**6)}}, r"shape \(1, 1000000, 1000000\); expected 1 to"),
        ({"form": {**GOOD["form"], "shape": (1, 5000, 8)}}, r"shape \(1, 5000, 8\)"),
        ({"form": {**GOOD["form"], "shape": (0, 8, 8)}}, r"shape \(0, 8, 8\)"),
        ({"form": {**GOOD["form"], "shape": (8, 8)}}, r"shape \(8, 8\)"),
        ({"form": {**GOOD["form"], "kind": "smell"}}, "no kind is called 'smell'"),
        ({"form": {**GOOD["form"], "scale": (float("nan"),)}}, r"scale \(nan,\); expected finite numbers"),
        ({"form": {**GOOD["form"], "scale": (0.0,)}}, "scale"),
        ({"form": {**GOOD["form"], "names": ("a", "b")}}, "2 names; expected 1"),
        ({"form": "image"}, "form"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"learning_rate": float("inf")}, "learning_rate is inf"),
        ({"learning_rate": 0}, "learning_rate is 0"),
        ({"steps": "many"}, "steps is 'many'"),
        ({"steps": 0}, "steps is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"sigma": 0}, "sigma is 0"),
        ({"likelihood": "cauchy"}, "likelihood is 'cauchy'"),
        ({"format": 3}, "format is 3"),
        ({"objective": {}}, "objective is {}"),
        ({"objective": {"name": 3}}, "expected a name and its settings"),
        ({"objective": {"name": "vae", "beta": "x"}}, "expected a number as beta"),
        ({"colour": "red"}, "colour is not a setting; known: format, data"),
        ({"data": ""}, "data is ''"),
        ({"data": "x" * 5000}, "data is 'xxx"),
        ({"hardware": {"device": "tpu"}}, "hardware.device is 'tpu'"),
        ({"hardware": {"threads": 0}}, "hardware.threads is 0"),
        ({"hardware": "fast"}, "hardware is 'fast'"),
        ({"latent_dim": 0, "steps": 0}, r"\(and 1 more\)"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        validate(RunConfig, {**GOOD, **changes}, "config.json")
    assert str(caught.value).startswith("config.json: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 200


@pytest.mark.parametrize("key", ["data", "rows", "form", "network", "objective", "steps", "learning_rate"])
def test_what_is_missing_is_named(key: str) -> None:
    with pytest.raises(InputError, match=f"config.json: {key} is missing$"):
        validate(RunConfig, {k: value for k, value in GOOD.items() if k != key}, "config.json")


@pytest.mark.parametrize("content", [None, 3, "text", [], [GOOD]])
def test_what_is_no_object_is_refused(content: Any) -> None:
    with pytest.raises(InputError, match=r"config.json: "):
        validate(RunConfig, content, "config.json")


@pytest.mark.parametrize("device", ["cpu", "cuda", "cuda:3", "mps"])
def test_devices(device: str) -> None:
    assert validate(Hardware, {"device": device}, "hardware").device == device


@pytest.mark.parametrize("beta", [True, None, "4", float("nan"), float("inf"), 10**400, -1e10])
def test_beta_is_a_number_that_can_be_said(beta: Any) -> None:
    with pytest.raises(InputError, match="as beta"):
        validate(RunConfig, GOOD | {"objective": {"name": "beta-vae", "beta": beta}}, "config.json")


@pytest.mark.parametrize("setting", ["a word", [1], {"a": 1}, 0.5])
def test_any_setting_of_an_objective_has_a_label(setting: Any) -> None:
    objective = {"name": "beta-vae", "beta": 4.0, "capacity": setting}
    assert RunConfig(**{**GOOD, "objective": objective}).label == f"β = 4, capacity = {setting}"


@pytest.mark.parametrize(("key", "value", "why"), [("data", "a\0b", "zero byte"), ("likelihood", "own", "the adapter")])
def test_what_no_run_has_is_refused(key: str, value: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        validate(RunConfig, GOOD | {key: value}, "config.json")
