"""Codes without a model, as people have them: a table with ids, arrays, AnnData; joined, analysed, shown, refused."""

import json
import pickle
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import anndata
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

import latentlab as ll
from latentlab.cli import run as cli
from latentlab.codes.matching import match
from latentlab.codes.selections import holding, named
from latentlab.errors import InputError, LatentlabError, MissingError
from latentlab.exchange.exporting import export
from latentlab.exchange.importers.codes import read
from latentlab.exchange.importing import import_run
from latentlab.figures import draw
from latentlab.reports.html import report
from latentlab.reports.methods import methods
from latentlab.runs.commands import commands
from latentlab.runs.comparison import compare
from latentlab.runs.doctor import examine
from latentlab.runs.health import health
from latentlab.runs.run import Run
from latentlab.runs.stage import stages
from latentlab.runs.study import Study
from latentlab.system.quarantine import strangers
from latentlab.system.registry import names

N = 240
WORDS = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])


@pytest.fixture(scope="module")
def digits() -> Any:
    found = load_digits()
    ids = np.array([f"scan-{k:04d}" for k in range(N)])
    return SimpleNamespace(data=found.data[:N], digit=WORDS[found.target[:N]], ids=ids, ink=found.data[:N].mean(axis=1))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, digits: Any) -> Path:
    """Two embeddings of the same digits in different orders of rows, and a table about them in a third order."""
    path, rng = tmp_path_factory.mktemp("files"), np.random.default_rng(0)
    for name, size, data in (("pca", 6, digits.data), ("roots", 3, np.sqrt(digits.data))):
        table = pd.DataFrame(PCA(size, random_state=0).fit_transform(data), columns=[f"{name}{k}" for k in range(size)])
        table.insert(0, "scan", digits.ids)
        order = np.arange(N) if name == "pca" else rng.permutation(N)
        table.iloc[order].to_csv(path / f"{name}.csv", index=False)
    about = {"scan": digits.ids, "digit": digits.digit, "ink": digits.ink, "remark": [f"seen by {k}" for k in range(N)]}
    pd.DataFrame(about).iloc[rng.permutation(N)].to_csv(path / "scans.csv", index=False)
    return path


@pytest.fixture(scope="module")
def study(files: Path) -> Study:
    """Both embeddings, imported into one folder and analysed."""
    for name in ("pca", "roots"):
        options = {"ids": "scan", "metadata": str(files / "scans.csv"), "labels": "digit", "name": f"{name} of digits"}
        run = import_run("codes", files / f"{name}.csv", files / "study" / name, **options)
        ll.analyze(run, metrics=["mig", "sap"], resamples=5)
    return Study(files / "study")


# Read and joined


def test_rows_are_joined_by_id_whatever_their_order(study: Study, digits: Any) -> None:
    where = {name: k for k, name in enumerate(digits.ids)}
    for run in study:
        codes = run.codes()
        assert codes.row_names is not None
        place = [where[name] for name in codes.row_names]
        assert codes.factor_names() == ("digit", "ink"), "a text of its own for each row is no factor"
        assert codes.labels is not None
        assert codes.factors is not None
        assert [codes.classes[k] for k in codes.labels.tolist()] == digits.digit[place].tolist()
        np.testing.assert_allclose(codes.factors[:, 1], digits.ink[place])
        kinds = {spec.name: (spec.kind, spec.levels) for spec in codes.specs}
        assert kinds == {"digit": ("categorical", 10), "ink": ("continuous", 0)}
    first, second = (run.codes() for run in (study["pca"], study["roots"]))
    assert not np.array_equal(first.row_ids, second.row_ids)
    assert set(first.row_ids) == set(second.row_ids), "a row has the same id in every file that names it"


def test_rows_are_named_filtered_and_coloured_by_the_users_own_words(study: Study) -> None:
    codes = study["roots"].codes()
    rows = named(codes, "scan-0007, scan-0003")
    assert sorted(codes.called(rows)) == ["scan-0003", "scan-0007"]
    with pytest.raises(InputError, match="no row is called 'scan-9999'"):
        named(codes, "scan-9999")
    assert set(codes.labels[holding(codes, "digit", "three")]) == {codes.label_names.index("three")}
    chart = draw("projection", study["roots"], by="digit", method="pca")
    assert "three" in {trace.name for trace in chart.data}
    assert set(chart.data[0].hovertext) == set(codes.row_names)


@pytest.mark.parametrize("options", [{"sep": ";", "decimal": ","}, {"sep": "\t"}, {}])
def test_any_dialect_and_row_names_as_pandas_and_r_write_them(tmp_path: Path, digits: Any, options: Any) -> None:
    z = PCA(3, random_state=0).fit_transform(digits.data)
    frame = pd.DataFrame(z, index=digits.ids, columns=["a", "b", "c"])
    frame.to_csv(tmp_path / "z.csv", **options)
    codes = import_run("codes", tmp_path / "z.csv", tmp_path / "run").codes()
    assert codes.row_names.tolist() == digits.ids.tolist()
    np.testing.assert_allclose(codes.mean, z, rtol=1e-5, atol=1e-5)


def test_arrays_parquet_and_npz_hold_the_same(tmp_path: Path, digits: Any) -> None:
    z = np.random.default_rng(0).normal(size=(N, 2)).astype(np.float32)
    variance = np.full_like(z, 0.25)
    np.save(tmp_path / "z.npy", z)
    np.save(tmp_path / "s.npy", variance)
    np.savez(tmp_path / "z.npz", z=z, variance=variance, labels=digits.digit, ids=digits.ids)
    pd.DataFrame(z, index=digits.ids, columns=["a", "b"]).to_parquet(tmp_path / "z.parquet")
    pd.DataFrame({"digit": digits.digit}).to_csv(tmp_path / "labels.csv", index=False)
    (tmp_path / "ids.txt").write_text("scan\n" + "\n".join(digits.ids) + "\n")
    labels, ids = str(tmp_path / "labels.csv"), str(tmp_path / "ids.txt")
    options: dict[str, dict[str, str]] = {
        "z.npy": {"labels": labels, "ids": ids, "variance": str(tmp_path / "s.npy")},
        "z.npz": {},
        "z.parquet": {"labels": labels, "variance": str(tmp_path / "s.npy"), "ids": "index"},
    }
    for name, more in options.items():
        run = import_run("codes", tmp_path / name, tmp_path / f"of {name}", **more)
        codes = run.codes()
        np.testing.assert_array_equal(codes.mean, z)
        np.testing.assert_array_equal(codes.variance, variance)
        assert codes.row_names.tolist() == digits.ids.tolist()
        assert [codes.classes[k] for k in codes.labels.tolist()] == digits.digit.tolist()
        assert run.config.stochastic
        assert codes.rate[0] == pytest.approx(0.5 * ((z[0] ** 2).sum() + 2 * (0.25 - 1 - np.log(0.25))), rel=1e-5)


def test_columns_of_the_codes_own_table_are_factors_and_labels(tmp_path: Path) -> None:
    rows = {"umap1": np.arange(30.0), "umap2": np.arange(30.0) ** 2, "dose": [0, 5, 9] * 10, "arm": ["x", "y"] * 15}
    pd.DataFrame(rows).to_csv(tmp_path / "umap.csv", index=False)
    codes = import_run("codes", tmp_path / "umap.csv", tmp_path / "run", factors="dose", labels="arm").codes()
    assert codes.latent_dim == 2
    assert [(spec.name, spec.values) for spec in codes.specs] == [("dose", (0.0, 5.0, 9.0))]
    assert codes.factors[:3, 0].tolist() == [0, 1, 2]
    assert codes.classes == {0: "x", 1: "y"}


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical(["B", "T", None, "B"] * 5),
            "stage": pd.Categorical(["late", "early"] * 10, ["early", "late"], ordered=True),
            "n_genes": np.arange(20) * 7,
            "doublet": [True, False] * 10,
            "age": pd.array([1, None, 3, 4] * 5, dtype="Int64"),
            "barcode": [f"c{k}" for k in range(20)],
        },
        index=[f"CELL{k}-1" for k in range(20)],
    )
    data = anndata.AnnData(np.ones((20, 3), np.float32), obs=obs)
    data.obsm["X_pca"] = np.random.default_rng(1).normal(size=(20, 4))
    data.obsm["X_scVI"] = pd.DataFrame(data.obsm["X_pca"][:, :2], index=obs.index, columns=["a", "b"])
    data.write_h5ad(tmp_path / "cells.h5ad")
    return tmp_path / "cells.h5ad"


def test_an_element_of_anndata_with_its_obs(cells: Path, tmp_path: Path) -> None:
    run = import_run("codes", cells, tmp_path / "run", obsm="X_scVI", labels="cell_type")
    codes = run.codes()
    assert codes.latent_dim == 2
    assert codes.row_names[:2].tolist() == ["CELL0-1", "CELL1-1"]
    kinds = {spec.name: (spec.kind, spec.values) for spec in codes.specs}
    assert kinds["cell_type"] == ("categorical", ("B", "T"))
    assert kinds["stage"] == ("ordinal", ("early", "late"))
    assert kinds["doublet"] == ("categorical", ("false", "true"))
    assert "barcode" not in kinds
    assert codes.labels[:4].tolist() == [0, 1, -1, 0]
    assert np.isnan(codes.factors[1, codes.factor_names().index("age")])
    export(run, tmp_path / "out.h5ad", "h5ad")
    back = anndata.read_h5ad(tmp_path / "out.h5ad")
    assert back.obs_names[:2].tolist() == ["CELL0-1", "CELL1-1"], "scanpy joins them to the cells again"
    assert {line.split()[0] for line in commands(run)} == {"latentlab"}
    assert "--obsm X_scVI" in commands(run)[0]


def test_which_embedding_is_asked_for_where_there_are_several(cells: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="obsm has X_pca, X_scVI; name the embedding, as in --obsm X_pca"):
        import_run("codes", cells, tmp_path / "run")
    with pytest.raises(InputError, match="has no obsm/X_umap; it has: X_pca, X_scVI"):
        import_run("codes", cells, tmp_path / "run", obsm="X_umap")
    assert import_run("codes", cells, tmp_path / "x", obsm="X").codes().latent_dim == 3


# Used


def test_what_needs_no_model_works(study: Study, tmp_path: Path) -> None:
    run = study["pca"]
    assert (run.encodes, run.decodes, run.sampled, run.state) == (False, False, False, "finished")
    assert set(run.scores()) == {"mig", "sap"}
    assert set(run.projections()) == {"pca", "umap"}
    assert ll.probe(run)
    table = compare(study)
    assert table["flags"].tolist() == ["no model", "no model"]
    assert table["setting"].tolist() == ["roots of digits, latent size 3", "pca of digits, latent size 6"]
    assert table["data"].nunique() == table["fingerprint"].nunique() == 1, "the same rows, so scores are compared"
    assert match(*(each.codes() for each in study))["matched"].any()
    assert set(health(run)["state"]) <= {"source", "current"}
    assert not [finding for finding in examine(study.path) if finding.wrong and str(study.path) in finding.where]
    text = methods(study).text
    assert "Codes computed elsewhere were analysed without a model" in text
    assert "Training took" not in text
    assert "Images were" not in text
    page = report(study, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "holds imported codes without a model" in page
    copy = export(study, tmp_path / "copy", "study", rows=100)
    assert [len(each.codes()) for each in Study(copy)] == [100, 100]
    assert Study(copy)["pca"].codes().row_names is not None
    export(run, tmp_path / "codes.parquet", "parquet")
    assert pd.read_parquet(tmp_path / "codes.parquet")["row_name"][0] == "scan-0000"


def test_every_question_that_needs_a_model_refuses_in_one_line(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(study["pca"].path)
    needing = [stage.name for stage in stages().values() if stage.needs]
    assert {"support", "outliers", "likelihood", "leakage", "intervene", "explain", "debias"} <= set(needing)
    for verb in [name for name in needing if name != "explain"]:  # which names dimensions by factors even so
        words = ["analyze", run, "--only", verb] if verb == "traverse" else [verb, run]
        more = {"outliers": ["--against", "digits"]}.get(verb, [])
        assert cli([*words, *more]) == 2
        told = capsys.readouterr().err.strip().splitlines()
        assert len(told) == 1
        assert "without a model" in told[0] or "no model" in told[0], told
    for words in (
        ["analyze", run, "--data", "digits"],
        ["analyze", run, "--adapter", "x.py:y"],
        ["export", run, "--to", "onnx", "-o", str(tmp_path / "onnx")],
        ["export", run, "--to", "huggingface", "-o", str(tmp_path / "hf")],
    ):
        assert cli(words) == 2
        told = capsys.readouterr().err.strip().splitlines()
        assert len(told) == 1
        assert "holds imported codes without a model" in told[0], told


def test_every_figure_is_drawn_or_says_why_not(study: Study) -> None:
    drawn, refused = [], {}
    for kind in names("figures"):
        what: Any = study["pca"] if ll.figures.load("figures", kind).TAKES == "run" else list(study)
        try:
            draw(kind, what)
        except LatentlabError as error:
            refused[kind] = str(error)
        else:
            drawn.append(kind)
    assert {"projection", "aligned_projections", "plane", "correlation", "responses", "scores", "factor_matrix"} <= {
        *drawn
    }
    decoded = {"traversals", "reconstructions", "rate_distortion", "samples", "manifold", "interpolation", "effects"}
    assert decoded <= refused.keys()
    assert all(len(why) <= 200 for why in refused.values())
    assert "no model" in refused["traversals"]


# Refused, and nothing half written


def _write(path: Path, z: Any, ids: Any = None, **columns: Any) -> Path:
    frame = pd.DataFrame(z, columns=[f"z{k}" for k in range(np.shape(z)[1])]).assign(**columns)
    if ids is not None:
        frame.insert(0, "who", ids)
    frame.to_csv(path, index=False)
    return path


Z = np.random.default_rng(2).normal(size=(12, 2))
WHO = [f"w{k}" for k in range(12)]


@pytest.mark.parametrize(
    ("codes", "metadata", "options", "said"),
    [
        ((Z, ["w1", *WHO[1:]]), None, {"ids": "who"}, "holds the id 'w1' more than once"),
        ((Z, [None, *WHO[1:]]), None, {"ids": "who"}, "row 1 has no id"),
        ((Z, WHO), None, {}, "column 'who' holds no numbers; name it with --ids"),
        ((Z, WHO), None, {"ids": "whom"}, "has no column 'whom'; it has: who, z0, z1"),
        ((Z, None), None, {"ids": "who"}, "--ids who is neither a file nor a column of z.csv; its columns: z0, z1"),
        ((Z, WHO), (WHO[:9],), {"ids": "who"}, "3 of 12 ids of z.csv are not in about.csv"),
        ((Z, WHO), ([*WHO, "w3"],), {"ids": "who"}, "holds the id 'w3' more than once"),
        ((Z, WHO), ([f"x{k}" for k in range(12)],), {"ids": "who"}, "12 of 12 ids of z.csv are not in about.csv"),
        ((Z, None), (WHO[:9],), {}, "about.csv has 9 rows but z.csv has 12"),
        ((np.where(np.eye(12, 2) > 0, np.nan, Z), None), None, {}, "row 1 holds NaN, infinity"),
        ((Z * 1e40, None), None, {}, "more than a float32"),
        ((Z[:1], None), None, {}, "expected at least 2 rows"),
        ((Z, WHO), (WHO,), {"ids": "who", "labels": "nope"}, "no column is called 'nope'"),
        (
            (Z, WHO),
            (WHO,),
            {"ids": "who", "factors": "text"},
            "column 'text' holds 12 different words|holds both numbers",
        ),
        ((Z, None), None, {"obsm": "X_pca"}, "--obsm is for .h5ad files"),
        ((Z, None), None, {"variance": "z9"}, "--variance z9 is not a file"),
        ((Z, None), None, {"name": " "}, "the name has 0 letters"),
        ((Z, None), None, {"network": "mlp"}, "the format codes has no option --network"),
    ],
)
def test_what_does_not_fit_is_one_line_and_writes_nothing(
    tmp_path: Path, codes: Any, metadata: Any, options: dict[str, str], said: str
) -> None:
    path = _write(tmp_path / "z.csv", *codes)
    if metadata is not None:
        ids = metadata[0]
        pd.DataFrame({"who": ids, "text": [f"{k} unique words" for k in range(len(ids))]}).to_csv(
            tmp_path / "about.csv", index=False
        )
        options = {**options, "metadata": str(tmp_path / "about.csv")}
    with pytest.raises(InputError, match=said) as error:
        import_run("codes", path, tmp_path / "out" / "run", **options)
    assert len(str(error.value)) <= 200
    assert not (tmp_path / "out").exists()


def test_a_table_that_lacks_some_ids_says_which_column_has_the_others(tmp_path: Path) -> None:
    pd.DataFrame(Z, columns=["a", "b"], index=WHO).to_csv(tmp_path / "z.csv", index_label="id")
    pd.DataFrame({"id": WHO[:9], "age": range(9)}).to_csv(tmp_path / "about.csv", index=False)
    with pytest.raises(InputError, match=r"3 of 12 ids of z.csv are not in factors, column 'id'"):
        import_run("codes", tmp_path / "z.csv", tmp_path / "run", factors=str(tmp_path / "about.csv"))


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "ran",))

    with (tmp_path / "z.pkl").open("wb") as file:
        pickle.dump(Trap(), file)
    with pytest.raises(
        InputError, match=r"z.pkl is a pickle, which can run code and is never read; .*np.save\('z.npy'"
    ):
        import_run("codes", tmp_path / "z.pkl", tmp_path / "run")
    assert not (tmp_path / "ran").exists()
    with pytest.raises(MissingError, match="does not exist"):
        import_run("codes", tmp_path / "z.npy", tmp_path / "run")


@pytest.mark.parametrize(
    ("variance", "said"),
    [
        (np.ones((11, 2)), r"variance is \(11, 2\) but z.npy is \(12, 2\)"),
        (-np.ones((12, 2)), "variance goes down to -1; expected positive variances: np.exp a log-variance"),
    ],
)
def test_a_variance_that_is_none(tmp_path: Path, variance: Any, said: str) -> None:
    np.save(tmp_path / "z.npy", Z)
    np.save(tmp_path / "v.npy", variance)
    with pytest.raises(InputError, match=said):
        import_run("codes", tmp_path / "z.npy", tmp_path / "run", variance=str(tmp_path / "v.npy"))


def test_the_same_import_again_is_the_same_run_and_another_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "z.csv", Z, WHO)
    run = import_run("codes", path, tmp_path / "run", ids="who")
    before = run.codes_path.stat().st_mtime_ns
    assert import_run("codes", path, tmp_path / "run", ids="who").path == run.path
    assert run.codes_path.stat().st_mtime_ns == before
    _write(tmp_path / "z.csv", Z + 1, WHO)
    with pytest.raises(InputError, match="exists and is not empty"):
        import_run("codes", path, tmp_path / "run", ids="who")
    _write(tmp_path / "z.csv", Z, WHO)
    run.codes_path.unlink()
    with pytest.raises(MissingError, match="latentlab import codes FILE"):
        run.codes()
    assert len(import_run("codes", path, tmp_path / "run", ids="who").codes()) == 12


def test_a_run_says_that_it_has_no_model_or_is_whole(study: Study, tmp_path: Path) -> None:
    config = json.loads((study["pca"].path / "config.json").read_text())
    for change in (
        {"network": "mlp"},
        {"form": {"kind": "image", "shape": [1, 8, 8]}},
        {"likelihood": "bernoulli"},
        {"imported": None},
    ):
        (tmp_path / "config.json").write_text(json.dumps({**config, **change}))
        with pytest.raises(InputError):
            _ = Run(tmp_path).config


# In Python


def test_from_codes_takes_arrays_and_frames(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    z = pd.DataFrame(rng.normal(size=(40, 3)), index=[f"r{k}" for k in range(40)])
    about = pd.DataFrame({"dose": np.repeat([1, 2], 20), "site": ["a", "b"] * 20}, index=z.index).sample(frac=1)
    run = ll.from_codes(z, variance=np.ones((40, 3)), metadata=about, labels="site", name="mine", out=tmp_path / "run")
    codes = run.codes()
    assert codes.row_names.tolist() == z.index.tolist()
    assert codes.factors[:, 0].tolist() == [0] * 20 + [1] * 20
    assert codes.classes == {0: "a", 1: "b"}
    assert run.config.label == "mine"
    again = ll.from_codes(z.to_numpy(), factors=rng.normal(size=(40, 2)), row_ids=np.arange(40)[::-1])
    assert again.codes().factor_names() == ("factor 1", "factor 2")
    assert again.codes().row_ids[0] == 39
    assert again.codes().row_names is None
    shuffled = pd.Series([f"is {name}" if name in ("r1", "r2") else "other" for name in z.index], z.index).iloc[::-1]
    labelled = ll.from_codes(z, labels=shuffled).codes()
    assert [labelled.classes[k] for k in labelled.labels[:4]] == ["other", "is r1", "is r2", "other"]
    with pytest.raises(InputError, match="ids of z holds the id"):
        ll.from_codes(z.to_numpy(), row_ids=[1, 1, *range(38)])
    with pytest.raises(InputError, match="labels has 3 rows but z has 40"):
        ll.from_codes(z.to_numpy(), labels=[0, 1, 2])


# scVI: its own library loads the model and encodes; here a stand-in of it does (tried by hand with scvi-tools 1.4.2)


class _Model:
    init_params_: ClassVar[dict[str, Any]] = {"non_kwargs": {"n_latent": 2, "gene_likelihood": "zinb"}}
    adata_manager = SimpleNamespace(get_state_registry=lambda key: {"original_key": "cell_type"})

    def __init__(self, data: Any, *, observed: bool) -> None:
        self.data, self.observed = data, observed

    def get_latent_representation(self, *, return_dist: bool) -> Any:
        assert return_dist
        z = np.asarray(self.data.obsm["X_pca"])[:, :2]
        return z, np.full_like(z, 0.5)

    def get_latent_library_size(self, *, give_mean: bool) -> Any:
        if give_mean and self.observed:
            raise RuntimeError("The module for this model does not compute the posterior of the library size.")
        return np.arange(1.0, 21)[:, None] + give_mean


@pytest.mark.parametrize("observed", [True, False])
def test_scvi(cells: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, observed: bool) -> None:
    module = ModuleType("scvi")
    load = lambda path, adata, accelerator: _Model(adata, observed=observed)  # noqa: E731
    module.model = SimpleNamespace(SCVI=SimpleNamespace(load=load))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "scvi", module)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.pt").write_bytes(b"weights")
    run = import_run("scvi", tmp_path / "model", tmp_path / "run", data=cells, labels="cell_type")
    codes = run.codes()
    assert (codes.latent_dim, run.config.stochastic, run.config.label) == (2, True, "scVI")
    assert codes.factors[0, codes.factor_names().index("library size")] == 1 + (not observed)
    assert codes.classes == {-1: "-1", 0: "B", 1: "T"} or codes.labels[2] == -1
    assert codes.row_names[0] == "CELL0-1"
    assert run.config.imported["settings"]["batch"] == "cell_type"
    assert commands(run)[0].startswith("latentlab import scvi MODEL_FOLDER")


def test_scvi_that_is_not_there_or_fails(cells: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(MissingError, match=r"has no model\.pt"):
        import_run("scvi", tmp_path / "model", tmp_path / "run", data=cells)
    (tmp_path / "model" / "model.pt").write_bytes(b"")
    with pytest.raises(MissingError, match=r"name the .h5ad that the model was set up on: --data"):
        import_run("scvi", tmp_path / "model", tmp_path / "run")
    monkeypatch.setitem(sys.modules, "scvi", None)
    with pytest.raises(LatentlabError, match=r"needs scvi-tools; install it: pip install 'latentlab\[scvi\]'"):
        import_run("scvi", tmp_path / "model", tmp_path / "run", data=cells)
    module = ModuleType("scvi")
    module.model = SimpleNamespace(SCVI=SimpleNamespace(load=lambda *a, **k: 1 / 0))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "scvi", module)
    with pytest.raises(InputError, match="scvi-tools cannot load model with cells"):
        import_run("scvi", tmp_path / "model", tmp_path / "run", data=cells)
    assert not (tmp_path / "run").exists()


# Row numbers, as pandas writes them


@pytest.mark.parametrize("ending", ["npy", "csv"])
def test_row_numbers_of_a_shuffled_table_say_which_row_is_which(tmp_path: Path, ending: str) -> None:
    np.save(tmp_path / "z.npy", Z)
    pd.DataFrame(Z).add_prefix("z").to_csv(tmp_path / "z.csv")
    about = pd.DataFrame({"dose": np.repeat([5, 7, 9], 4), "age": Z[:, 0]})
    about.sample(frac=1, random_state=1).to_csv(tmp_path / "about.csv")
    codes = import_run(
        "codes", tmp_path / f"z.{ending}", tmp_path / "run", metadata=str(tmp_path / "about.csv")
    ).codes()
    assert codes.factor_names() == ("dose", "age")
    np.testing.assert_allclose(codes.factors[:, 1], Z[:, 0])
    assert codes.row_ids.tolist() == list(range(12))


def test_factors_in_the_order_of_the_codes_may_have_row_numbers(tmp_path: Path) -> None:
    path = _write(tmp_path / "z.csv", Z, WHO)
    pd.DataFrame({"a": Z[:, 1], "b": [0, 1] * 6}).to_csv(tmp_path / "v.csv")
    codes = import_run("codes", path, tmp_path / "run", ids="who", factors=str(tmp_path / "v.csv")).codes()
    assert codes.factor_names() == ("a", "b")
    np.testing.assert_allclose(codes.factors[:, 0], Z[:, 1])
    assert codes.row_names.tolist() == WHO


def test_a_table_in_the_order_of_nameless_codes_gives_them_names_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    np.save(tmp_path / "z.npy", Z)
    pd.DataFrame({"dose": np.repeat([5, 7, 9], 4)}, index=WHO).to_csv(tmp_path / "of.csv")
    codes = import_run("codes", tmp_path / "z.npy", tmp_path / "run", metadata=str(tmp_path / "of.csv")).codes()
    assert codes.row_names.tolist() == WHO
    assert "its rows are taken to be in the order of z.npy" in caplog.text


def test_codes_of_strangers_are_read_apart_with_their_names(study: Study) -> None:
    with strangers():
        apart = study["pca"].codes()
    np.testing.assert_array_equal(apart.row_names, study["pca"].codes().row_names)


@pytest.mark.parametrize("forms", [("{:03d}", "{:03d}"), ("{:03d}", "{}"), ("{}", "{:05d}"), ("1E{}", "1E{}")])
def test_ids_are_kept_and_joined_as_they_are_written(tmp_path: Path, forms: tuple[str, str]) -> None:
    own, theirs = ([form.format(k) for k in range(12)] for form in forms)
    codes = _write(tmp_path / "z.csv", Z, own)
    table = pd.DataFrame({"who": theirs, "size": np.arange(12) % 3}).sample(frac=1, random_state=0)
    table.to_csv(tmp_path / "m.csv", index=False)
    found = read(codes, ids="who", metadata=str(tmp_path / "m.csv")).codes
    names = found.row_ids.astype(str).tolist() if found.row_names is None else found.row_names.tolist()
    assert names == own
    assert found.factors is not None
    assert found.factors[:, 0].tolist() == [k % 3 for k in range(12)]


def test_ids_that_only_leading_zeros_tell_apart_are_two(tmp_path: Path) -> None:
    own = [f"{k // 2:0{1 + k % 2}d}" for k in range(12)]
    codes = _write(tmp_path / "z.csv", Z, own)
    pd.DataFrame({"who": own, "size": np.arange(12)})[::-1].to_csv(tmp_path / "m.csv", index=False)
    found = read(codes, ids="who", metadata=str(tmp_path / "m.csv"), factors="size").codes
    assert found.row_names is not None
    assert found.row_names.tolist() == own
    assert found.factors is not None
    assert found.factors[:, 0].tolist() == list(range(12))
