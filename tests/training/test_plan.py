"""What a study consists of: lists crossed into members with readable names, from options or from a study file."""

from pathlib import Path
from typing import Any

import pytest

from latentlab.data import Dataset, load
from latentlab.errors import InputError, MissingError
from latentlab.runs.folders import NAME
from latentlab.training.plan import members, read_plan


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load("digits")


def test_lists_sizes_and_seeds_are_crossed(data: Dataset) -> None:
    plan = members(data, ["ae", 0.5], 3, latent_dim=[2, 5], steps=3)
    assert len(plan) == 12
    assert set(plan) >= {"ae-d2-seed0", "beta0.5-d5-seed2"}
    assert {config.hardware.threads for config in plan.values()} == {1}


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["ae", "beta1", "beta4", "beta16"]),
        ({"beta": [" AE ", "4.0", 0.25, 0]}, ["ae", "beta4", "beta0.25", "beta0"]),
        ({"beta": [1e6, 1e-5]}, ["beta1e06", "beta1e-05"]),
        ({"beta": [1, 1.0000001]}, ["beta1", "beta1.0000001"]),
        ({"beta": [4], "settings": {"warmup_steps": [10, "20"]}}, ["beta4-warmup_steps10", "beta4-warmup_steps20"]),
        ({"objective": "vae"}, ["vae"]),
        ({"objective": "ae"}, ["ae"]),
        ({"objective": "beta_tcvae", "beta": [1, "ae"]}, ["beta-tcvae-beta1", "ae"]),
        ({"objective": "beta-tcvae", "settings": {"sampling": ["weighted", "stratified"]}},
         ["beta-tcvae-sampling-weighted", "beta-tcvae-sampling-stratified"]),
        ({"objective": "factor-vae", "settings": {"gamma": 10, "width": [50, 100]}},
         ["factor-vae-gamma10-width50", "factor-vae-gamma10-width100"]),
    ],
)  # fmt: skip
def test_a_member_is_named_after_what_it_is(data: Dataset, options: dict[str, Any], names: list[str]) -> None:
    plan = members(data, **options)
    assert list(plan) == [f"{name}-seed0" for name in names]
    assert all(map(NAME.fullmatch, plan)), "a study opens it"


def test_a_plain_autoencoder_stands_once_beside_settings_it_has_not(data: Dataset) -> None:
    plan = members(data, ["ae", 4], settings={"warmup_steps": [0, 10]})
    assert list(plan) == ["ae-seed0", "beta4-warmup_steps0-seed0", "beta4-warmup_steps10-seed0"]
    assert plan["ae-seed0"].objective == {"name": "ae"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"objective": "gan"}, "no objective is called 'gan'"),
        ({"objective": "factor-vae", "beta": [4]}, "objective factor-vae: beta is not a setting; known: gamma, width"),
        ({"settings": {"gamma": [1]}}, "objective beta-vae: gamma is not a setting"),
        ({"objective": "factor-vae", "settings": {"gamma": []}}, "is empty; expected at least one"),
        ({"objective": "factor-vae", "settings": {"gamma": ["../x"]}}, "a run would be called factor-vae-gamma-"),
        ({"objective": "info-vae", "settings": {"alpha": [2]}}, "alpha is 2.0"),
        ({"beta": [1], "settings": {"beta": [2]}}, "β was given twice"),
    ],
)
def test_wrong_lists_are_one_line(data: Dataset, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        members(data, **wrong)
    assert len(str(caught.value)) <= 200


# Study files


def test_a_study_file_says_what_options_say(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text('data = "digits"\nbeta = ["ae", 1, 4.5]\nseeds = 2\nlatent_dim = [2, 5]\nsteps = 100\n')
    plan = read_plan(path)
    assert (plan.data, plan.beta, plan.seeds) == ("digits", ["ae", 1, 4.5], 2)
    assert plan.options == {
        "objective": "beta-vae", "beta": ["ae", 1, 4.5], "settings": {}, "seeds": 2, "latent_dim": [2, 5], "steps": 100
    }  # fmt: skip


def test_a_study_file_names_an_objective_and_lists_its_settings(data: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text('data = "digits"\nobjective = "info-vae"\nseeds = 2\n[settings]\nalpha = [0, 0.5]\nscale = 100\n')
    plan = members(data, **read_plan(path).options)
    assert list(plan) == [
        "info-vae-alpha0-scale100-seed0", "info-vae-alpha0-scale100-seed1",
        "info-vae-alpha0.5-scale100-seed0", "info-vae-alpha0.5-scale100-seed1",
    ]  # fmt: skip
    assert plan["info-vae-alpha0.5-scale100-seed1"].objective == {"name": "info-vae", "alpha": 0.5, "scale": 100.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("beta = ", "is not valid TOML"),
        ("", "data is missing"),
        ('data = "digits"', "beta is missing"),
        ('data = "digits"\nbeta = 4', "beta is 4"),
        ('data = "digits"\nbeta = [1]\n[settings]\nbeta = [[1]]', "settings.beta"),
        ('data = "digits"\nbeta = [1]\nseed = 3', "seed is not a setting; known: data, objective, beta"),
        ('data = "digits"\nbeta = [1]\nnetwork = 3', "network is 3"),
        ('data = "digits"\nbeta = [1]\nworkers = 2', "workers is not a setting"),
        ('data = "digits"\nbeta = [inf]', "beta.0"),
    ],
)
def test_a_wrong_study_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "study.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_plan(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 200


def test_a_study_file_that_is_missing_or_binary(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="expected a study file"):
        read_plan(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not valid TOML"):
        read_plan(tmp_path / "binary.toml")
