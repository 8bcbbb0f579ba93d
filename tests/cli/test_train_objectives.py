"""Every objective from the command line, with a setting of its own."""

from pathlib import Path

import pytest

from latentlab.cli import run
from latentlab.runs.run import Run
from latentlab.system.registry import names

SETTINGS = {
    "ae": (),
    "annealed_vae": ("capacity=5", "anneal_steps=2"),
    "beta_tcvae": ("beta=3", "sampling=weighted"),
    "beta_vae": ("warmup_steps=2", "free_bits=0.1"),
    "dip_vae_i": ("lambda_od=2",),
    "dip_vae_ii": ("lambda_d=2",),
    "factor_vae": ("gamma=5", "width=8"),
    "info_vae": ("alpha=0.5", "scale=10"),
    "vae": ("warmup_steps=2",),
}


@pytest.mark.parametrize("name", names("training/objectives"))
def test_trains(tmp_path: Path, name: str) -> None:
    given = [part for pair in SETTINGS[name] for part in ("--set", pair)]
    common = ["--data", "digits", "--out", str(tmp_path / "run"), "--latent-dim", "3", "--steps", "3", "--quiet"]
    assert run(["train", *common, "--threads", "1", "--objective", name.replace("_", "-"), *given]) in (None, 0)
    found = Run(tmp_path / "run")
    assert found.state == "finished"
    for key, value in (pair.split("=") for pair in SETTINGS[name]):
        assert str(found.config.objective[key]) in (value, f"{value}.0")


def test_the_help_names_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    run(["train", "--help"])
    told = "".join(capsys.readouterr().out.split())
    assert all(name.replace("_", "-") in told.replace("│", "") for name in names("training/objectives"))


def test_a_setting_of_another_objective_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["train", "--data", "digits", "--out", str(tmp_path / "run"), "--objective", "factor-vae"]
    assert run([*common, "--set", "capacity=3"]) == 2
    assert "capacity is not a setting; known: gamma, width" in capsys.readouterr().err
