"""What was made from other data than there are now is made again or refused, although name and row count agree."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import latentlab as ll
from latentlab.analysis.analyze import analyze
from latentlab.analysis.encode.stage import encode
from latentlab.analysis.leakage import reader as leaking
from latentlab.analysis.leakage.stage import leakage
from latentlab.analysis.likelihood.stage import likelihood
from latentlab.analysis.outliers import stage as judging
from latentlab.analysis.outliers.stage import outliers
from latentlab.analysis.project.stage import project_run
from latentlab.analysis.score.scoring import score
from latentlab.analysis.support.stage import support
from latentlab.cli import run as cli
from latentlab.codes.codes import Codes, located
from latentlab.codes.h5ad import load_codes, save_codes
from latentlab.codes.matching import match
from latentlab.codes.selections import as_table
from latentlab.data import Dataset, Factor, load
from latentlab.errors import InputError
from latentlab.models import encoding
from latentlab.runs.doctor import examine
from latentlab.runs.images import changed, dataset_of
from latentlab.runs.projections import projections_of
from latentlab.runs.run import Run
from latentlab.system.files import read_json, sha256, write_json
from latentlab.training.train import train

ROWS = 120


def write(folder: Path, *, seed: int = 0, factors: int = 0) -> Path:
    """A ``data.npz`` of noise with two factors, which only the folder and the seeds tell from others."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 2, (ROWS, 8, 8), dtype=np.uint8) * 255
    values = np.random.default_rng(factors).integers(0, 3, (ROWS, 2))
    labels = np.array(["cat", "dog", "猫"])[values[:, 0]]
    np.savez(folder / "data.npz", images=pixels, factors=values, labels=labels)
    return folder / "data.npz"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("identity")
    train(load(write(root)), root / "run", latent_dim=2, steps=4, threads=1)
    return root


@pytest.fixture
def there(trained: Path, tmp_path: Path) -> Iterator[Path]:
    """A folder with the data and the run, to be changed."""
    copytree(trained, tmp_path / "there")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path / "there")
        # The run was trained on an absolute path; here it is that of the copy.
        config = read_json(Path("run/config.json"))
        write_json(Path("run/config.json"), {**config, "data": str(tmp_path / "there" / "data.npz")})
        yield tmp_path / "there"


def test_replaced_images_are_encoded_again_and_equal_ones_are_not(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(there / "run")
    first = encode(run)
    hash_of_first = sha256(run.codes_path)
    write(there)
    encode(run)
    assert sha256(run.codes_path) == hash_of_first
    write(there, seed=1)
    again = encode(run)
    assert not np.array_equal(first.mean, again.mean)
    assert again.provenance["inputs"]["fingerprint"] == load(there / "data.npz").fingerprint
    assert again.label_names == ("cat", "dog", "猫")


def test_corrected_factors_reach_codes_and_scores_without_encoding(
    there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(there / "run")
    analyze(run, only=["encode", "score"], metrics=["mig"], resamples=0)
    before, score_before = run.codes(), run.scores()["mig"].value
    write(there, factors=5)
    monkeypatch.setattr(encoding, "posteriors", lambda *_: pytest.fail("encoded again"))
    analyze(run, only=["encode", "score"], metrics=["mig"], resamples=0)
    after = run.codes()
    assert np.array_equal(before.mean, after.mean)
    assert np.array_equal(before.variance, after.variance)  # type: ignore[arg-type]
    assert np.array_equal(before.distortion, after.distortion, equal_nan=True)  # type: ignore[arg-type]
    assert np.array_equal(after.factors, load(there / "data.npz").factors)  # type: ignore[arg-type]
    assert np.array_equal(after.labels, load(there / "data.npz").labels)  # type: ignore[arg-type]
    assert run.scores()["mig"].value != score_before


def test_stages_that_do_not_encode_refuse_codes_of_data_that_changed(there: Path) -> None:
    run = Run(there / "run")
    analyze(run, only=["encode"])
    write(there, factors=5)
    assert changed(run) == ("factors", "labels")
    for stage in ("score", "project", "traverse"):
        with pytest.raises(InputError, match="factors and labels of run changed since its codes were made") as refused:
            analyze(run, only=[stage])
        assert len(str(refused.value)) <= 200
    write(there, seed=2)
    assert changed(run) == ("images",)
    with pytest.raises(InputError, match="is not the data that run encoded"):
        dataset_of(run)
    write(there)
    assert changed(run) == ()
    assert len(dataset_of(run)) == ROWS


KEPT: dict[str, Callable[[Run, Dataset | None], Any]] = {
    "likelihood": lambda run, data: likelihood(run, data=data, rows=4, samples=5).estimate,
    "support": lambda run, data: support(run, data=data, samples=100)["inputs"]["fingerprint"],
}


@pytest.mark.parametrize("name", KEPT)
def test_kept_answers_are_of_the_data_that_were_asked_about(name: str, there: Path, tmp_path: Path) -> None:
    run, other = Run(there / "run"), load(write(tmp_path / "other", seed=3, factors=4))
    first = KEPT[name](run, None)
    second = KEPT[name](run, other)
    assert not np.array_equal(first, second)
    fresh = Run(copytree(there / "run", tmp_path / "fresh" / "run"))
    for made in ("codes.h5ad", "likelihood.h5", "support.json", "support.h5"):
        (fresh.path / made).unlink(missing_ok=True)
    assert np.array_equal(KEPT[name](fresh, other), second)


def test_leakage_is_read_with_what_was_learnt_from_the_data_as_they_are(
    there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, learnt, learn = Run(there / "run"), [], leaking.learn
    monkeypatch.setattr("latentlab.analysis.leakage.reader.UPDATES", 2)
    monkeypatch.setattr(leaking, "learn", lambda images, seed: learnt.append(images) or learn(images, seed=seed))
    for factors, calls in ((0, 1), (0, 1), (7, 2), (7, 2)):
        write(there, factors=factors)
        encode(run)
        leakage(run, anchors=2)
        assert len(learnt) == calls
    assert learnt[0].fingerprint["factors"] != learnt[1].fingerprint["factors"]


def test_outliers_of_two_sets_of_one_name_are_two_entries(there: Path, tmp_path: Path) -> None:
    run = Run(there / "run")
    near, far = (load(write(tmp_path / name, seed=seed)) for name, seed in (("near", 6), ("far", 7)))
    dark = tmp_path / "dark"
    dark.mkdir()
    np.savez(dark / "data.npz", images=np.zeros((ROWS, 8, 8), np.uint8))
    entries = [outliers(run, against=each, rows=60) for each in (near, far, load(dark / "data.npz"))]
    kept = read_json(run.path / "outliers.json")["entries"]
    assert len(kept) == 3
    assert len({entry["against"] for entry in kept.values()}) == 3
    assert entries[2]["scores"]["distortion"]["auroc"] != entries[0]["scores"]["distortion"]["auroc"]
    assert all(entry["own_rows_were_trained_on"] for entry in entries)
    mtime = (run.path / "outliers.json").stat().st_mtime_ns
    assert outliers(run, against=near, rows=60)["inputs"] == entries[0]["inputs"]
    assert (run.path / "outliers.json").stat().st_mtime_ns == mtime
    write(tmp_path / "near", seed=8)
    assert outliers(run, against=load(tmp_path / "near" / "data.npz"), rows=60)["inputs"] != entries[0]["inputs"]
    assert len(read_json(run.path / "outliers.json")["entries"]) == 3


def test_outliers_of_two_sets_of_one_name_at_once_are_both_kept(
    there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second set is judged and written while the first one is being judged."""
    run = Run(there / "run")
    near, far = (load(write(tmp_path / name, seed=seed)) for name, seed in (("near", 6), ("far", 7)))
    judge, pending = judging._judged, [far]

    def judged(*args: Any) -> Any:
        for other in [pending.pop()] if pending else []:
            outliers(run, against=other, rows=60)
        return judge(*args)

    monkeypatch.setattr(judging, "_judged", judged)
    found = outliers(run, against=near, rows=60)
    kept = read_json(run.path / "outliers.json")["entries"]
    assert {entry["data"] for entry in kept.values()} == {near.spec, far.spec}
    assert {entry["against"] for entry in kept.values()} == {near.spec, far.spec}
    assert found["against"] == near.spec
    assert found["against"] == near.spec


def test_own_rows_of_another_set_of_that_name_were_not_trained_on(there: Path, tmp_path: Path) -> None:
    run, mine = Run(there / "run"), load(write(tmp_path / "mine", seed=9))
    assert not outliers(run, against=load(write(tmp_path / "foreign", seed=10)), data=mine, rows=60)[
        "own_rows_were_trained_on"
    ]


def test_a_resume_on_replaced_images_is_refused(there: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"latent_dim": 2, "steps": 4, "threads": 1}
    data = there / "data.npz"
    train(str(data), tmp_path / "new", **options)
    write(there, factors=9)
    assert train(str(data), tmp_path / "new", resume=True, **options).state == "finished"
    write(there, seed=11)
    with pytest.raises(InputError, match=r"was trained on different images than .* contains now") as refused:
        train(str(data), tmp_path / "new", resume=True, **options)
    assert len(str(refused.value)) <= 200
    with pytest.raises(InputError, match="is for different images than"):
        train(str(data), tmp_path / "third", config=Run(tmp_path / "new").config)
    config = read_json(tmp_path / "new" / "config.json")
    del config["fingerprint"]
    write_json(tmp_path / "new" / "config.json", config)
    assert train(str(data), tmp_path / "new", resume=True, **options).state == "finished"


def test_doctor_names_what_changed(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run(there / "run")
    encode(run)
    assert not [each for each in examine(run.path) if "of its data" in each.found or "other images" in each.found]
    write(there, seed=12, factors=1)
    found = [each.found for each in examine(run.path) if each.wrong]
    assert "stale: images and factors and labels of its data have changed since" in found
    assert any("has other images than it was trained on" in each for each in found)
    assert cli(["doctor", str(run.path)]) == 1
    (there / "data.npz").unlink()
    assert not [each for each in examine(run.path) if "of its data" in each.found or "other images" in each.found]


def test_data_named_from_another_folder_are_found_again(
    there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(there / "run")
    write(tmp_path / "elsewhere", seed=16)
    monkeypatch.chdir(tmp_path / "elsewhere")
    encode(run, load("data.npz"))
    monkeypatch.chdir(there)
    assert changed(run) == ()
    assert np.array_equal(dataset_of(run)[:], load(tmp_path / "elsewhere" / "data.npz")[:])


def test_codes_from_before_fingerprints_are_kept(there: Path) -> None:
    run = Run(there / "run")
    encode(run)
    with h5py.File(run.codes_path, "r+") as file:
        import json

        told = json.loads(file["uns/latentlab"][()])
        del told["provenance"]["inputs"]["fingerprint"], told["label_names"]
        del file["uns/latentlab"]
        element = file["uns"].create_dataset("latentlab", data=json.dumps(told), dtype=h5py.string_dtype())
        element.attrs["encoding-type"], element.attrs["encoding-version"] = "string", "0.2.0"
    before = sha256(run.codes_path)
    write(there, seed=13)
    analyze(run, only=["encode"])
    assert sha256(run.codes_path) == before
    assert changed(run) == ()
    assert run.codes().label_names == ()


def test_projections_of_other_codes_are_neither_exported_nor_drawn(there: Path, tmp_path: Path) -> None:
    run = Run(there / "run")
    encode(run)
    project_run(run, methods=("pca",))
    assert set(projections_of(run)) == {"pca"}
    write(there, seed=14)
    encode(run)
    for refused in (
        lambda: ll.export(run, tmp_path / "c.parquet", "parquet"),
        lambda: ll.export(run, tmp_path / "c.h5ad", "h5ad"),
        lambda: ll.figures.projection(run),
    ):
        with pytest.raises(InputError, match="were made from different codes than the current ones"):
            refused()


def test_codes_of_different_images_with_equal_ids_are_not_matched(there: Path, tmp_path: Path) -> None:
    run = Run(there / "run")
    mean = np.random.default_rng(0).normal(size=(ROWS, 2)).astype(np.float32)
    one, other = (replace(codes, mean=mean) for codes in (encode(run), encode(run, load(write(tmp_path, seed=15)))))
    with pytest.raises(InputError, match="were made from different images"):
        match(one, other)
    assert match(one, one)["matched"].tolist() == [True, True]


# Ids and order

ids = st.lists(st.integers(0, 10**6), min_size=4, max_size=30, unique=True)


@given(ids, st.data())
@settings(max_examples=80, deadline=None)
def test_an_id_is_found_in_any_order(known: list[int], data: st.DataObject) -> None:
    wanted = data.draw(st.lists(st.sampled_from(known), max_size=10))
    places = located(np.array(known), np.array(wanted, dtype=np.int64))
    assert places is not None
    assert np.array(known)[places].tolist() == wanted
    assert located(np.array(known), np.array([10**6 + 1])) is None


@given(order=st.permutations(range(12)), count=st.integers(5, 12))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_exports_keep_each_rows_coordinates(order: list[int], count: int, there_once: Run, tmp_path: Path) -> None:
    pq, run = pytest.importorskip("pyarrow.parquet"), there_once
    data = load(run.config.data).take(np.array(order[:count]) * 7)
    analyze(run, data, only=["encode"])
    project_run(run, methods=("pca",))
    wanted = {int(row): xy for row, xy in zip(*_pca(run), strict=True)}
    assert set(wanted) == {place * 7 for place in order[:count]}
    table = pq.read_table(ll.export(run, tmp_path / "codes.parquet", "parquet")).to_pydict()
    for row, x, y in zip(table["row"], table["pca_x"], table["pca_y"], strict=True):
        assert np.array_equal(np.float32([x, y]), wanted[row])
    with h5py.File(ll.export(run, tmp_path / "codes.h5ad", "h5ad")) as file:
        for row, xy in zip(file["obs/row"][()], file["obsm/X_pca"][()], strict=True):
            assert np.array_equal(xy, wanted[int(row)])


def _pca(run: Run) -> tuple[Any, Any]:
    found = run.projections()["pca"]
    return found.row_ids, found.xy


@pytest.fixture(scope="module")
def there_once(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(copytree(trained / "run", tmp_path_factory.mktemp("once") / "run"))


def test_a_grid_given_for_other_rows_is_refused_and_one_in_a_file_not_believed(tmp_path: Path) -> None:
    factors = np.indices((3, 4)).reshape(2, -1).T.astype(float)
    codes = np.random.default_rng(0).normal(size=(12, 2)).astype(np.float32)
    specs = (Factor("a"), Factor("b"))
    order = np.random.default_rng(0).permutation(12)
    assert Codes(codes, factors=factors, specs=specs, grid=(3, 4)).grid == (3, 4)
    save_codes(tmp_path / "c.h5ad", Codes(codes, factors=factors[order], specs=specs, grid=(3, 4)))
    assert load_codes(tmp_path / "c.h5ad").grid is None
    with pytest.raises(InputError, match="the rows are not the grid 3×4 in row-major order"):
        score(codes, factors[order], grid=(3, 4), metrics=["mig"])


# Names

OURS = ("rate", "distortion", "pca_x", "umap_y")
awkward = st.lists(
    st.sampled_from(["row", "label", "label_code", "rate", "z0", "z1", "z0_variance", "pca_x", "umap_y", "factor row",
                     "x/y", "x_y", "factor z0", "distortion", "_index"]),
    min_size=1, max_size=6, unique=True,
)  # fmt: skip


@given(names=awkward)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_column_overwrites_another(names: list[str], there_once: Run, tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    rng, run = np.random.default_rng(0), there_once
    factors = rng.normal(size=(20, len(names)))
    codes = Codes(rng.normal(size=(20, 2)).astype("f4"), np.ones((20, 2), "f4"), factors, tuple(map(Factor, names)),
                  np.arange(20) % 3, label_names=("cat", "dog", "猫"))  # fmt: skip
    run.projections_path.unlink(missing_ok=True)
    save_codes(run.codes_path, codes)
    back = load_codes(run.codes_path)
    assert np.array_equal(back.factors, factors)  # type: ignore[arg-type]
    assert back.label_names == codes.label_names
    table = pq.read_table(ll.export(run, tmp_path / "c.parquet", "parquet"))
    assert table["label"].to_pylist() == [codes.label_names[k] for k in codes.labels]  # type: ignore[union-attr]
    assert table["label_code"].to_pylist() == codes.labels.tolist()  # type: ignore[union-attr]
    for columns in (table.to_pandas(), as_table(codes, np.arange(20))):
        assert columns.columns.is_unique
        assert np.array_equal(columns[["z0", "z1"]].to_numpy("f4"), codes.mean)
        assert columns["row"].tolist() == list(range(20))
        for name, column in zip(names, factors.T, strict=True):
            known = [each for each in columns if np.array_equal(columns[each].to_numpy(), column)]
            assert known
            assert name in known or name in {"row", "z0", "z1", "label", "label_code", "z0_variance"} | set(OURS)


def test_a_row_without_a_label_has_no_class_in_an_export(there_once: Run, tmp_path: Path) -> None:
    pq, anndata = pytest.importorskip("pyarrow.parquet"), pytest.importorskip("anndata")
    run, z = there_once, np.random.default_rng(0).normal(size=(4, 2)).astype("f4")
    specs = tuple(map(Factor, ("Z0", "LABEL", "z9")))
    codes = Codes(z, None, np.arange(12.0).reshape(4, 3), specs, np.array([-1, 1, 2, -1]), label_names=("a", "b", "-1"))
    assert codes.classes == {1: "b", 2: "-1"}
    run.projections_path.unlink(missing_ok=True)
    save_codes(run.codes_path, codes)
    table = pq.read_table(ll.export(run, tmp_path / "c.parquet", "parquet"))
    assert table["label"].to_pylist() == [None, "b", "-1", None]
    assert table["label_code"].to_pylist() == [-1, 1, 2, -1]
    lower = [name.lower() for name in table.column_names]
    assert sorted(set(lower)) == sorted(lower), "DuckDB does not tell capitals apart"
    obs = anndata.read_h5ad(ll.export(run, tmp_path / "c.h5ad", "h5ad")).obs
    assert obs["label"].astype(object).where(obs["label"].notna(), None).tolist() == [None, "b", "-1", None]
    assert load_codes(tmp_path / "c.h5ad").labels.tolist() == [-1, 1, 2, -1]  # type: ignore[union-attr]


def test_class_names_reach_anndata_and_come_back(there_once: Run, tmp_path: Path) -> None:
    rng, run = np.random.default_rng(0), there_once
    numbers = np.array([2, 0, 2, 0, 4])
    codes = Codes(rng.normal(size=(5, 2)).astype("f4"), labels=numbers, label_names=("cat", "dog", "猫", "cat", "cat"))
    assert codes.classes == {0: "cat", 2: "猫", 4: "cat (4)"}
    run.projections_path.unlink(missing_ok=True)
    save_codes(run.codes_path, codes)
    out = ll.export(run, tmp_path / "c.h5ad", "h5ad")
    table = pytest.importorskip("anndata").read_h5ad(out)
    assert table.obs["label"].astype(str).tolist() == ["猫", "cat", "猫", "cat", "cat (4)"]
    assert table.obs["label_code"].tolist() == numbers.tolist()
    assert load_codes(out).labels.tolist() == numbers.tolist()  # type: ignore[union-attr]
