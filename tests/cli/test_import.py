"""``latentlab import``: what it says, and what it says to those who leave something out."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from latentlab.cli import run
from latentlab.models import build
from latentlab.runs.run import Run

WORDS = ["state-dict", "weights.pt", "--data", "digits", "--out", "run"]


@pytest.fixture(autouse=True)
def _weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from latentlab.data import load
    from latentlab.training.configure import configure

    monkeypatch.chdir(tmp_path)
    torch.save(build(configure(load("digits"), latent_dim=2)).state_dict(), "weights.pt")


def test_it_makes_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", *WORDS, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"run": "run", "label": "unknown", "latent_dim": 2}
    assert run(["import", *WORDS]) == 0
    assert "Saved run" in capsys.readouterr().out
    assert run(["analyze", "run", "--only", "encode", "--quiet"]) == 0
    assert Run(Path("run")).has("encode")
    capsys.readouterr()
    assert run(["import", *WORDS, "--quiet"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (WORDS[:-2], "needs a folder for the run: --out RUN"),
        (["--out", "run"], "either FORMAT PATH or --adapter"),
        ([*WORDS, "--adapter", "own.py:model"], "either FORMAT PATH or --adapter"),
        (["pythae", "--out", "run"], "import pythae needs the PATH"),
        (["disvea", "weights.pt", "--out", "run"], "no importer is called 'disvea'; did you mean 'disvae'"),
        (
            ["disvae", "weights.pt", "--out", "run"],
            ". has no specs.json; expected a folder with specs.json and weights.pt",
        ),
        (["--adapter", "own.py:model", "--out", "run", "--data", "digits"], "--weights FILE"),
        (
            ["--adapter", "own.py:model", "--out", "run", "--data", "digits", "--weights", "weights.pt"],
            "own.py does not exist",
        ),
        (["disvae", "theirs", "--out", "run"], "theirs is not a folder; expected one with specs.json and model.pt"),
        ([*WORDS, "--beta", "4"], "--beta does not go with state-dict"),
        ([*WORDS, "--weights", "weights.pt"], "--weights does not go with state-dict"),
        (["--adapter", "own.py:model", "--out", "run", "--network", "mlp"], "--network does not go with --adapter"),
        (["--adapter", "own.py:model", "--out", "run", "--beta=-1"], "'--beta'"),
        (
            [*WORDS[:2], "--data", "digits", "--out", "weights.pt"],
            "weights.pt is a file; expected a folder to create or continue",
        ),
    ],
)
def test_what_is_left_out_is_named(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", *words]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("\n") == 1
    assert not Path("run").exists()


def test_a_key_and_a_prefix_choose(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    state = torch.load("weights.pt")
    average = {f"vae.{name}": tensor + 1 for name, tensor in state.items()}
    other = {f"gan.{name}": tensor + 2 for name, tensor in state.items()}
    torch.save({"model": state, "ema": {**average, **other}}, "weights.pt")
    assert run(["import", *WORDS, "--key", "ema", "--prefix", "vae"]) == 0
    told = "latentlab: weights.pt: took the weights under 'ema', removed the prefix 'vae.', ignored the weights gan."
    assert caplog.messages == [told]
    recorded = Run(Path("run")).config.imported
    assert recorded is not None
    assert recorded["settings"] == {"prefix": "vae.", "key": "ema"}
    kept = load_file("run/model.safetensors")
    assert all(torch.equal(kept[name], tensor + 1) for name, tensor in state.items())
    assert run(["import", *WORDS[:-1], "other", "--key", "ema"]) == 2
    assert "several models that fit, under 'gan.', 'vae.'; choose one with --key or --prefix" in capsys.readouterr().err
    assert run(["import", "huggingface", ".", "--out", "other", "--key", "ema"]) == 2
    assert "the format huggingface has no option --key; leave it out" in capsys.readouterr().err
