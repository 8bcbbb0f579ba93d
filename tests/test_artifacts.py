"""The studies that are shipped: small enough, whole, and what their study files say."""

import tomllib
from pathlib import Path

import pytest
from conftest import ROOT

from latentlab.codes.h5ad import read_provenance
from latentlab.models import load_model
from latentlab.runs.comparison import compare
from latentlab.runs.study import Study

LIMITS = {"dsprites": 40 << 20, "flagship": 60_000_000, "scenes": 24 << 20, "mini": 5 << 20, "digits-2d": 1 << 20}
SCORED = ("dsprites", "mini")


def size(folder: Path) -> int:
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


@pytest.mark.parametrize("name", LIMITS)
def test_it_is_small_enough_and_holds_no_training_state(name: str) -> None:
    folder = ROOT / "artifacts" / name
    assert 0 < size(folder) <= LIMITS[name]
    assert not list(folder.rglob("training.safetensors"))


@pytest.mark.parametrize("name", SCORED)
def test_every_run_is_finished_analysed_and_unflagged(name: str) -> None:
    table = compare(Study(ROOT / "artifacts" / name))
    assert set(table["state"]) == {"finished"}
    assert set(table["flags"]) == {""}
    assert table["mig"].between(0, 1).all()


@pytest.mark.parametrize("name", LIMITS)
def test_the_rows_name_the_file_they_were_drawn_from(name: str) -> None:
    for run in Study(ROOT / "artifacts" / name):
        found = read_provenance(run.codes_path)
        assert len(found["full_codes"]) == 64
        assert found["of_rows"] > len(run.codes())


def test_dsprites_is_what_its_study_file_says() -> None:
    plan = tomllib.loads((ROOT / "artifacts" / "dsprites.toml").read_text())
    study = Study(ROOT / "artifacts" / "dsprites")
    assert len(study) == len(plan["beta"]) * plan["seeds"]
    assert {run.config.beta for run in study} == {None, 1.0, 2.0, 4.0, 8.0, 16.0}
    for run in study:
        config = run.config
        assert (config.data, config.latent_dim, config.steps) == (plan["data"], plan["latent_dim"], plan["steps"])
        assert config.form.shape == (1, 64, 64)
        assert len(run.codes()) == 5000


def test_half_precision_weights_load() -> None:
    study = Study(ROOT / "artifacts" / "dsprites")
    assert load_model(study["beta4-seed0"]).latent_dim == 10
