"""Pictures of codes: PCA by its definition, UMAP under a seed, and how far either can be trusted."""

import importlib
import sys
from importlib.metadata import version
from pathlib import Path

import h5py
import numpy as np
import pytest

from latentlab.codes.codes import Codes
from latentlab.codes.projections import (
    Projection,
    faithfulness,
    keep_compiled,
    load_projections,
    project,
    save_projections,
)
from latentlab.errors import InputError


def codes_of(points: np.ndarray) -> Codes:
    ids = 100 + np.random.default_rng(9).permutation(len(points)).astype(np.int64)
    return Codes(points.astype(np.float32), row_ids=ids)


@pytest.fixture(scope="module")
def cloud() -> Codes:
    rng = np.random.default_rng(0)
    return codes_of(rng.normal(size=(300, 4)) * [5, 3, 1, 0.5] @ np.linalg.qr(rng.normal(size=(4, 4)))[0])


def test_pca_keeps_the_two_directions_of_largest_variance(cloud: Codes) -> None:
    found = project(cloud, "pca")
    values = np.sort(np.linalg.eigvalsh(np.cov(cloud.mean.astype(float).T)))[::-1]
    np.testing.assert_allclose(found.xy.astype(float).var(axis=0, ddof=1), values[:2], rtol=1e-4)
    assert found.settings["explained_variance_ratio"] == pytest.approx(values[:2] / values.sum(), rel=1e-5)
    np.testing.assert_allclose(np.corrcoef(found.xy.T)[0, 1], 0, atol=1e-4)
    assert found.xy.dtype == np.float32
    assert found.settings["versions"] == {"scikit-learn": version("scikit-learn")}


def test_what_lies_in_a_plane_is_shown_as_it_is() -> None:
    plane = np.random.default_rng(0).normal(size=(200, 2))
    found = project(codes_of(np.column_stack([plane, np.zeros((200, 3))])), "pca")
    between = lambda xy: np.linalg.norm(xy[:, None] - xy, axis=-1)  # noqa: E731
    np.testing.assert_allclose(between(found.xy), between(plane), atol=1e-4)
    assert found.faithfulness["trustworthiness"] == pytest.approx(1, abs=1e-6)
    assert found.faithfulness["continuity"] == pytest.approx(1, abs=1e-6)


def test_rows_are_chosen_by_the_seed_and_keep_their_ids(cloud: Codes) -> None:
    found = project(cloud, "pca", rows=50, seed=3)
    assert found.xy.shape == (50, 2)
    assert len(set(found.row_ids)) == 50
    assert set(found.row_ids) <= set(cloud.row_ids)
    np.testing.assert_array_equal(found.xy, project(cloud, "pca", rows=50, seed=3).xy)
    assert set(found.row_ids) != set(project(cloud, "pca", rows=50, seed=4).row_ids)
    assert found.settings["method"] == "pca"
    assert (found.settings["seed"], found.settings["of_rows"]) == (3, 300)


def test_what_is_compiled_is_kept_beside_the_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "import numba\n\n\n@numba.njit\ndef double(x):\n    return 2 * x\n"
    (tmp_path / "doubling.py").write_text(source)
    monkeypatch.setattr("numba.core.config.CACHE_DIR", "")
    monkeypatch.syspath_prepend(tmp_path)
    doubling = importlib.import_module("doubling")
    keep_compiled(doubling)
    assert doubling.double(3) == 6
    assert len(list(tmp_path.rglob("doubling.double-*.nbi"))) == 1


def test_umap_is_fixed_by_its_seed_and_says_how_it_was_made() -> None:
    rng = np.random.default_rng(0)
    centres = np.repeat(np.eye(3) * 20, 20, axis=0)
    codes = codes_of(centres + rng.normal(size=(60, 3)))
    found = project(codes, "umap", seed=1)
    np.testing.assert_array_equal(found.xy, project(codes, "umap", seed=1).xy)
    kept = sys.modules["umap.layouts"]._nb_optimize_layout_euclidean_single_epoch.stats
    assert kept.cache_hits or kept.cache_misses, "what takes longest to compile is kept on disk"
    assert np.isfinite(found.xy).all()
    assert found.settings["parameters"] == {"n_neighbors": 15, "min_dist": 0.1, "metric": "euclidean"}
    assert found.settings["versions"].keys() == {"umap-learn", "numba", "scikit-learn"}
    clusters = found.xy.reshape(3, 20, 2)
    middles = clusters.mean(axis=1)
    within = np.linalg.norm(clusters - middles[:, None], axis=-1).max()
    apart = min(np.linalg.norm(middles[a] - middles[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert apart > within, "three far clusters stay three clusters"
    few = project(codes.take(slice(0, 5)), "umap", n_neighbors=3)
    assert few.xy.shape == (5, 2)
    assert few.settings["parameters"]["n_neighbors"] == 3


def test_neighbours_of_many_rows_are_searched_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    """UMAP's own search of that many rows is approximate, and compiled anew in every process."""
    from umap import umap_

    def refuse(*given: object, **named: object) -> None:
        raise AssertionError("NN-descent")

    given = []
    monkeypatch.setattr(umap_, "nearest_neighbors", refuse)
    build = umap_.fuzzy_simplicial_set
    monkeypatch.setattr(umap_, "fuzzy_simplicial_set", lambda *a, **k: given.append(a) or build(*a, **k))
    points = np.random.default_rng(0).normal(size=(4200, 3))
    points[:40] = points[0]  # more rows alike than neighbours are asked for
    codes = codes_of(points)
    found = project(codes, n_neighbors=10, n_epochs=2)
    np.testing.assert_array_equal(found.xy, project(codes, n_neighbors=10, n_epochs=2).xy)
    rows, distances = given[0][5:7]
    drawn = codes.mean[codes.drawn(4200, 0)].astype(float)
    for row in (0, 7, 4199):
        true = np.sort(np.linalg.norm(drawn - drawn[row], axis=1))[:10]
        np.testing.assert_allclose(distances[row], true, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(drawn[rows[row]] - drawn[row], axis=1), true, rtol=1e-5, atol=1e-6)
    with pytest.raises(AssertionError, match="NN-descent"):
        project(codes, metric="manhattan", n_epochs=2)


@pytest.mark.parametrize(
    "settings", [{"n_neighbors": 5000}, {"unique": True}, {"precomputed_knn": (None, None)}, {"n_neighbors": 1}]
)
def test_umap_searches_itself_where_it_takes_no_neighbours(
    settings: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for as many neighbours as rows: UMAP warns, and takes fewer."""
    from umap import umap_

    def refuse(*given: object, **named: object) -> None:
        raise AssertionError("NN-descent")

    monkeypatch.setattr(umap_, "nearest_neighbors", refuse)
    expected, why = (ValueError, "greater than 1") if settings == {"n_neighbors": 1} else (AssertionError, "NN-descent")
    with pytest.raises(expected, match=why):
        project(codes_of(np.random.default_rng(0).normal(size=(4200, 3))), n_epochs=2, **settings)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("rows", [4, 5, 40])
def test_few_rows_and_few_dimensions(rows: int, d: int) -> None:
    found = project(codes_of(np.random.default_rng(0).normal(size=(rows, d))), "pca")
    assert found.xy.shape == (rows, 2)
    assert np.isfinite(found.xy).all()
    for key in ("trustworthiness", "continuity"):
        assert 0 <= found.faithfulness[key] <= 1


def test_codes_that_have_collapsed_can_be_shown() -> None:
    found = project(codes_of(np.ones((50, 3))), "pca")
    np.testing.assert_array_equal(found.xy, 0)
    assert found.settings["explained_variance_ratio"] == [0, 0]


def test_faithfulness_falls_when_neighbours_are_torn_apart(cloud: Codes) -> None:
    points = cloud.mean
    shuffled = np.random.default_rng(0).permutation(points)
    same, torn = faithfulness(points, points), faithfulness(points, shuffled)
    assert same["trustworthiness"] == same["continuity"] == 1
    assert 0 <= torn["trustworthiness"] < 0.7
    forward, back = faithfulness(points, points[:, :1]), faithfulness(points[:, :1], points)
    assert forward["trustworthiness"] == pytest.approx(back["continuity"])
    assert same["judged_rows"] == 300


def test_roundtrip(tmp_path: Path, cloud: Codes) -> None:
    made = {"pca": project(cloud, "pca"), "mine": Projection(np.zeros((2, 2), np.float32), np.array([5, 7]), {"β": 1})}
    save_projections(tmp_path / "projections.h5", made, {"codes": "abc"})
    found = load_projections(tmp_path / "projections.h5")
    assert found.keys() == made.keys()
    for name, projection in made.items():
        np.testing.assert_array_equal(found[name].xy, projection.xy)
        np.testing.assert_array_equal(found[name].row_ids, projection.row_ids)
        assert found[name].settings == projection.settings
        assert found[name].faithfulness == projection.faithfulness


def test_what_is_refused(tmp_path: Path, cloud: Codes) -> None:
    with pytest.raises(InputError, match="no projection method is called 'tsne'; known: pca, umap"):
        project(cloud, "tsne")
    with pytest.raises(InputError, match="codes has 3 rows; a projection needs at least 4"):
        project(cloud.take([0, 1, 2]), "pca")
    save_projections(tmp_path / "p.h5", {"pca": project(cloud, "pca")}, {})
    content = (tmp_path / "p.h5").read_bytes()
    for length in range(0, len(content), 997):
        (tmp_path / "p.h5").write_bytes(content[:length])
        with pytest.raises(InputError):
            load_projections(tmp_path / "p.h5")


@pytest.mark.parametrize("lacking", ["a/xy", "b/xy"])
def test_a_projection_that_lacks_a_part_is_refused_in_one_line(tmp_path: Path, lacking: str) -> None:
    path, picture = tmp_path / "p.h5", Projection(np.zeros((2, 2), np.float32), np.array([5, 7]), {})
    save_projections(path, {"a": picture, "b": picture}, {})
    with h5py.File(path, "r+") as file:
        del file[lacking]
    with pytest.raises(InputError, match=r"p\.h5 is not a complete file of projections") as caught:
        load_projections(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("alike", [300, 101])
def test_equal_rows_have_one_picture(alike: int) -> None:
    """A spectral start of many equal rows differs from call to call."""
    points = np.ones((300, 3))
    points[alike:] = np.random.default_rng(0).normal(size=(300 - alike, 3))
    first, again = (project(codes_of(points), "umap").xy for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("method", ["pca", "umap"])
@pytest.mark.parametrize("scale", [1e-40, 1e-15, 1e18, 1e38, np.inf, np.nan])
def test_codes_without_squares_are_refused(method: str, scale: float) -> None:
    points = np.linspace(1, 2, 30).reshape(10, 3) * scale
    with pytest.raises(InputError, match=r"standardise them|NaN or infinity"):
        project(codes_of(points), method)
