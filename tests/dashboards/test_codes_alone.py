"""Every page on codes that were imported without a model: it shows what it can, and says what a decoder would add."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

import latentlab as ll
from latentlab.runs.study import Study

N = 150


@pytest.fixture(scope="module")
def embeddings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two embeddings of the same digits, rows under names, one with variances."""
    path, digits = tmp_path_factory.mktemp("embeddings"), load_digits()
    ids, kinds = [f"scan-{k:03d}" for k in range(N)], [f"digit {k}" for k in digits.target[:N]]
    known = {"labels": kinds, "row_ids": ids}
    for name, size in (("pca", 4), ("wide", 6)):
        z = PCA(size, random_state=0).fit_transform(digits.data[:N])
        variance = np.full_like(z, 0.3) if name == "wide" else None
        run = ll.from_codes(z / z.std(), variance=variance, name=f"{name} of digits", out=path / name, **known)
        ll.analyze(run, metrics=["mig"], resamples=5)
    return path


def words(app: Any) -> str:
    bodies = [*app.markdown, *app.get("html")]
    texts = [getattr(each, "value", "") or each.proto.body for each in bodies]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", " ".join(texts), flags=re.DOTALL)))


def test_figures_of_models_say_that_there_is_none(embeddings: Path) -> None:
    for kind in ("size", "rate_distortion", "spectrum", "overview"):
        with pytest.raises(ll.InputError, match="these runs hold codes without a model"):
            ll.figures.draw(kind, Study(embeddings))


@pytest.mark.parametrize("run", ["pca", "wide"])
@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("runs", "no model"),
        ("sweep", "Embeddings compared by their scores"),
        ("sweep", "A decoder would give a distortion"),
        ("dimensions", "A decoder would show here what each dimension changes in a sample"),
        ("dimensions", "Highest codes, the most extreme first: rows scan-"),
        ("compare", "shared neighbours"),
        ("map", "coloured by label"),
        ("decode", "With a decoder this page would show the sample of any code"),
        ("support", "With an encoder and a decoder, samples would be compared here with real data"),
        ("figures", "imported codes and no model; traverse needs decoder"),
        ("health", "all files are up to date"),
    ],
)
def test_every_page(embeddings: Path, open_page: Callable[..., Any], run: str, page: str, said: str) -> None:
    app = open_page(embeddings, page, run=run)
    assert said in words(app)
    vain = ("explain", "support", "traverse", "outliers", "debias", "leakage", "train")
    assert not [code.value for code in app.code if any(verb in code.value.split() for verb in vain)]


def test_rows_are_chosen_and_shown_by_name(embeddings: Path, open_page: Callable[..., Any]) -> None:
    app = open_page(embeddings, "map", run="pca", rows="scan-003, scan-017")
    assert "2 of 150 rows" in words(app)
    assert "By name: scan-003, scan-017" in words(app)
    assert "no row is called 'scan-999'" in words(open_page(embeddings, "map", run="pca", rows="scan-999"))
    alone = words(open_page(embeddings, "map", run="pca", rows="scan-003"))
    assert "Row scan-003 first, then the 23 rows with the nearest codes" in alone


def test_one_embedding_alone_is_told_how_to_get_another(embeddings: Path, open_page: Callable[..., Any]) -> None:
    told = words(open_page(Study(embeddings)["pca"].path, "compare"))
    assert "Import another embedding of the same rows into the same study folder" in told
