"""What is handed out: equal to what it was made of, in the libraries that others open it with."""

import json
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from torch import nn
from toy import write_run

import latentlab as ll
from latentlab.analysis.project.stage import project_run
from latentlab.cli import run as cli
from latentlab.codes.h5ad import read_provenance
from latentlab.errors import InputError, LatentlabError, one_line
from latentlab.exchange.exporters.huggingface import card
from latentlab.models import Autoencoder, load_model
from latentlab.runs.comparison import compare
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.system.files import sha256

SPEC = "dsprites:size=16,grid=3x2x3x3x3"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A small VAE, trained, encoded, projected and scored."""
    run = ll.train(SPEC, tmp_path_factory.mktemp("study") / "vae", steps=4, latent_dim=3, log_every=2)
    ll.analyze(run, only=("encode", "score"), metrics=["mig"], resamples=10)
    project_run(run, methods=("pca",), rows=100)
    return run


# Tables


def test_parquet_is_the_codes_in_pandas(made: Run, tmp_path: Path) -> None:
    out = ll.export(made, tmp_path / "codes.parquet", "parquet")
    table, codes = pd.read_parquet(out), made.codes()
    assert codes.variance is not None
    assert codes.factors is not None
    np.testing.assert_array_equal(table[["z0", "z1", "z2"]], codes.mean)
    np.testing.assert_array_equal(table[["z0_variance", "z1_variance", "z2_variance"]], codes.variance)
    np.testing.assert_array_equal(table["row"], codes.row_ids)
    np.testing.assert_allclose(table["rate"], codes.rate)
    assert table["shape"].iloc[[0, -1]].tolist() == ["square", "heart"]
    np.testing.assert_allclose(table["x position"].unique(), [0, 16 / 31, 1])
    picture = made.projections()["pca"]
    drawn = table.dropna(subset=["pca_x"])
    np.testing.assert_array_equal(drawn["row"], picture.row_ids)
    np.testing.assert_array_equal(drawn[["pca_x", "pca_y"]], picture.xy)
    first = out.read_bytes()
    assert ll.export(made, out, "parquet").read_bytes() == first


def test_parquet_says_where_it_came_from(made: Run, tmp_path: Path) -> None:
    from pyarrow.parquet import read_schema

    about = json.loads(read_schema(ll.export(made, tmp_path / "codes.parquet", "parquet")).metadata[b"latentlab"])
    assert about["provenance"]["inputs"]["model"] == made.codes().provenance["inputs"]["model"]


def test_h5ad_is_worked_with_as_scanpy_does(made: Run, tmp_path: Path) -> None:
    """The calls that scanpy's users make: neighbours' input, colours, a subset, another embedding, writing it again."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anndata

        opened = anndata.read_h5ad(ll.export(made, tmp_path / "codes.h5ad", "h5ad"))
        codes = made.codes()
        np.testing.assert_array_equal(opened.X, codes.mean)
        np.testing.assert_array_equal(opened.layers["variance"], codes.variance)
        seen = opened[~np.isnan(opened.obsm["X_pca"][:, 0])].copy()
        assert seen.obsm["X_pca"].shape == (100, 2)
        seen.obs["shape"] = seen.obs["shape"].astype(int).astype(str).astype("category")
        assert len(seen[seen.obs["shape"] == "2", ["z0", "z2"]].to_df().columns) == 2
        seen.obsm["X_twice"] = 2 * seen.obsm["X_pca"]
        seen.write_h5ad(tmp_path / "again.h5ad")
        assert anndata.read_h5ad(tmp_path / "again.h5ad").shape == (100, 3)


# Models


@pytest.mark.parametrize("network", ["mlp", "burgess"])
def test_onnx_computes_what_the_model_does(tmp_path: Path, network: str) -> None:
    import onnxruntime

    spec = "scenes:size=64,grid=1x1x2x1x1x2" if network == "burgess" else SPEC
    objective = "vae" if network == "burgess" else "ae"
    run = ll.train(spec, tmp_path / "run", steps=1, latent_dim=3, network=network, objective=objective, batch_size=4)
    ll.export(run, tmp_path / "onnx", "onnx")
    encoder, decoder = (onnxruntime.InferenceSession(tmp_path / "onnx" / f"{p}coder.onnx") for p in ("en", "de"))
    model = load_model(run)
    for n in (1, 3):
        x, z = torch.rand(n, *run.config.form.shape), torch.randn(n, 3)
        with torch.inference_mode():
            q, images = model.encode(x), model.decode(z).mean.numpy()
        found = encoder.run(None, {"images": x.numpy()})
        assert len(found) == 1 + run.config.stochastic
        np.testing.assert_allclose(found[0], q.mean.numpy(), atol=1e-4)
        if run.config.stochastic:
            np.testing.assert_allclose(found[1], q.variance.numpy(), atol=1e-4)
        np.testing.assert_allclose(decoder.run(["images"], {"codes": z.numpy()})[0], images, atol=1e-4)


def test_onnx_of_a_model_of_ones_own(tmp_path: Path) -> None:
    import onnxruntime

    model = ll.wrap(None, nn.Sequential(nn.Linear(3, 64), nn.Unflatten(1, (1, 8, 8))), latent_dim=3, logits=True)
    run = ll.import_model(model, tmp_path / "run", data="digits")
    with pytest.raises(InputError, match="name it:"):
        ll.export(run, tmp_path / "none", "onnx")
    ll.export(run, tmp_path / "onnx", "onnx", adapter=model)
    assert [f.name for f in (tmp_path / "onnx").iterdir()] == ["decoder.onnx"]
    z = torch.randn(5, 3)
    session = onnxruntime.InferenceSession(tmp_path / "onnx" / "decoder.onnx")
    with torch.inference_mode():
        np.testing.assert_allclose(session.run(None, {"codes": z.numpy()})[0], model.decode(z).mean.numpy(), atol=1e-4)


def equal(model: Autoencoder, other: Autoencoder) -> None:
    x = torch.rand(4, 1, 16, 16)
    with torch.inference_mode():
        q, p = model.encode(x), other.encode(x)
        assert torch.equal(q.mean, p.mean)
        assert torch.equal(model.decode(q.mean).mean, other.decode(q.mean).mean)


def test_pretrained_there_and_back(made: Run, tmp_path: Path) -> None:
    ll.save_pretrained(made, tmp_path / "hub")
    assert sorted(f.name for f in (tmp_path / "hub").iterdir()) == ["README.md", "config.json", "model.safetensors"]
    equal(load_model(made), ll.from_pretrained(tmp_path / "hub"))  # type: ignore[arg-type]
    words = ["import", "huggingface", str(tmp_path / "hub"), "--out", str(tmp_path / "run"), "--data", SPEC, "--quiet"]
    assert cli(words) == 0
    back = Run(tmp_path / "run")
    equal(load_model(made), load_model(back))  # type: ignore[arg-type]
    assert (back.config.label, back.state) == (made.config.label, "finished")
    assert back.config.imported is not None
    assert back.config.imported["settings"]["steps"] == 4


def test_the_model_card_is_that_of_the_run(made: Run, tmp_path: Path) -> None:
    text = (ll.save_pretrained(made, tmp_path / "hub") / "README.md").read_text()
    assert text.startswith("---\nlibrary_name: latentlab\ntags:\n- autoencoder\n")
    mig = made.scores()["mig"]
    assert f"| mig | {mig.value:.3f} |" in text
    assert "| latent dimensions | 3 |" in text
    assert "| training | 4 steps of 64 images" in text


@pytest.mark.parametrize("name", ["- a: [b", "x\n---\nevil: true", "</td><script>", "a|b", "yes", "#", '"', "null"])
def test_no_name_is_markup_in_the_model_card(made: Run, name: str) -> None:
    config = made.config.model_copy(update={"objective": {"name": name}, "data": name, "network": name})
    run = Run(made.path)
    run.__dict__["config"] = config
    _, head, body = card(run).split("---\n", 2)
    assert yaml.safe_load(head)["tags"] == ["autoencoder", "latent-space", one_line(name)]
    assert "<" not in body.replace("<br>", "")
    rows = [line for line in body.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} <= {3, 6}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"library_name": "diffusers"}, "is of diffusers; expected what save_pretrained"),
        ({"network": "../evil"}, "no network is called '../evil'"),
        ({"latent_dim": 5}, r"expected \("),
        ({"latent_dim": 10**9}, "latent_dim is 1000000000"),
        ({"objective": "vae"}, "objective is 'vae'"),
    ],
)
def test_folders_that_are_not_ours(made: Run, tmp_path: Path, changes: dict[str, object], message: str) -> None:
    folder = ll.save_pretrained(made, tmp_path / "hub")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
    for act in (lambda: ll.from_pretrained(folder), lambda: ll.import_run("huggingface", folder, tmp_path / "run")):
        with pytest.raises(InputError, match=message):
            act()
    assert not (tmp_path / "run").exists()


def test_a_model_of_ones_own_has_no_such_folder(tmp_path: Path) -> None:
    model = ll.wrap(nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), latent_dim=2)
    run = ll.import_model(model, tmp_path / "run", data="digits")
    with pytest.raises(InputError, match="whose code cannot be exported"):
        ll.save_pretrained(run, tmp_path / "hub")


# Histories


def test_tensorboard_has_every_logged_number(made: Run, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    study = Study(made.path.parent)
    for _ in range(2):  # written again, it is not there twice
        ll.export(study, tmp_path / "logs", "tensorboard")
    read = EventAccumulator(str(tmp_path / "logs" / "vae")).Reload()
    history = made.history()
    for tag in ("loss", "distortion", "rate", "elbo"):
        points = [(event.step, event.value) for event in read.Scalars(tag)]
        assert points == [(line["step"], pytest.approx(line[tag], rel=1e-6)) for line in history]
    ones = [event.value for event in read.Scalars("rate_per_dimension/z1")]
    assert ones == pytest.approx([line["rate_per_dimension"][1] for line in history], rel=1e-6)


# What is refused


def test_what_cannot_be_handed_out(made: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for to, out, message in (
        ("parquet", "codes.csv", r"expected a name that ends in \.parquet"),
        ("parket", "codes.parquet", "no exporter is called 'parket'; did you mean 'parquet'"),
        ("study", "copy", "is a run, but study takes a study"),
    ):
        with pytest.raises(InputError, match=message):
            ll.export(made, tmp_path / out, to)
    with pytest.raises(InputError, match="is a study, but parquet takes a run; pass one of its runs"):
        ll.export(Study(made.path.parent), tmp_path / "codes.parquet", "parquet")
    with pytest.raises(InputError, match="the format parquet has no option --rows; it has: none"):
        ll.export(made, tmp_path / "codes.parquet", "parquet", rows=3)
    with pytest.raises(InputError, match="study: rows is a str, 'all'; expected int"):
        ll.export(Study(made.path.parent), tmp_path / "copy", "study", rows="all")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    for to in ("onnx", "huggingface"):
        with pytest.raises(InputError, match="is not empty"):
            ll.export(made, tmp_path / "full", to)
    before = made.codes_path.read_bytes()
    with pytest.raises(InputError, match="is the run's own file"):
        ll.export(made, made.codes_path, "h5ad")
    assert made.codes_path.read_bytes() == before
    with pytest.raises(InputError, match="is a file; expected a folder"):
        ll.export(made, tmp_path / "full" / "mine", "tensorboard")
    ll.export(Study(made.path.parent), tmp_path / "full" / "light", "study", weights=False)
    for to in ("onnx", "huggingface"):
        with pytest.raises(InputError, match="contains no weights"):
            ll.export(tmp_path / "full" / "light" / made.name, tmp_path / to, to)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(LatentlabError, match="this needs pyarrow; install it: pip install 'pyarrow'") as caught:
        ll.export(made, tmp_path / "codes.parquet", "parquet")
    assert caught.value.exit_status == 1
    assert sorted(f.name for f in tmp_path.iterdir()) == ["full"]


def test_a_copy_of_a_copy_was_drawn_from_the_same_files(made: Run, tmp_path: Path) -> None:
    """And is up to date: weights that are left out later make nothing stale."""
    first = ll.export(Study(made.path.parent), tmp_path / "first", "study", rows=20)
    second = ll.export(Study(first), tmp_path / "second", "study", rows=5, weights=False)
    whole, once, twice = made, Study(first)[0], Study(second)[0]
    for run in (once, twice):
        found = read_provenance(run.codes_path)
        assert found["of_rows"] == len(whole.codes())
        assert (found["full_codes"], found["full_model"]) == (sha256(whole.codes_path), sha256(whole.model_path))
    assert set(compare(Study(second))["flags"]) == set(compare(Study(made.path.parent))["flags"])


@pytest.mark.parametrize("there", [False, True])
def test_half_a_study_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    study, out = write_run(tmp_path / "study" / "run", 4.0, 0).path.parent, tmp_path / "copy"
    (out if there else tmp_path).mkdir(exist_ok=True)

    def full(path: Path, found: object) -> None:
        assert (out / "run" / "config.json").is_file()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("latentlab.exchange.exporters.study.save_codes", full)
    assert cli(["export", str(study), "--to", "study", "-o", str(out)]) == 1
    assert list(out.iterdir()) == [] if there else not out.exists()
    monkeypatch.undo()
    assert cli(["export", str(study), "--to", "study", "-o", str(out)]) == 0


@pytest.mark.parametrize("name", ["notes.json", "scores.json", "codes.h5ad", "environment.json"])
def test_a_link_in_a_run_is_not_handed_on(tmp_path: Path, name: str) -> None:
    run = write_run(tmp_path / "study" / "run", 4.0, 0)
    (run.path / name).unlink(missing_ok=True)
    (tmp_path / "private").write_text("{}")
    (run.path / name).symlink_to(tmp_path / "private")
    with pytest.raises(InputError, match=f"{name} is a link"):
        ll.export(run.path.parent, tmp_path / "copy", "study")
    assert not (tmp_path / "copy").exists()


def test_a_failed_export_keeps_what_others_put_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, out = write_run(tmp_path / "study" / "run", 4.0, 0).path.parent, tmp_path / "link"
    (tmp_path / "real").mkdir()
    out.symlink_to("real")

    def full(path: Path, found: object) -> None:
        (out / "thesis.txt").write_text("mine")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("latentlab.exchange.exporters.study.save_codes", full)
    assert cli(["export", str(study), "--to", "study", "-o", str(out)]) == 1
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]
