"""What a question refuses because of its data or its model, it refuses before a regressor is trained."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import latentlab as ll
from latentlab.cli import run as cli
from latentlab.errors import InputError


@pytest.mark.parametrize("number", [1, 2])
def test_too_few_rows_or_factors_are_refused_before_anything_is_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    rng = np.random.default_rng(0)
    known: dict[str, Any] = {"factors": {f"f{k}": rng.normal(size=60) for k in range(number)}}
    run = ll.train(
        ll.data.from_arrays(rng.normal(size=(60, 5)), **known), tmp_path / "run", steps=2, latent_dim=2, threads=1
    )
    data = ll.data.from_arrays(rng.normal(size=(60, 5)), **known)
    ll.encode(run, data)
    monkeypatch.setattr("latentlab.analysis.leakage.reader.learn", lambda *_, **__: pytest.fail("it was learnt"))
    with pytest.raises(InputError, match="60 rows have all factors known; swaps between rows need at least 128"):
        ll.intervene(run, data=data)
    if number == 1:
        with pytest.raises(InputError, match="has one known factor, f0; leakage is of one factor into another"):
            ll.leakage(run, data=data)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Path]]:
    """A folder with a run that was encoded and one that was not, and tables: its own, one of eight rows, another."""
    folder, rng = tmp_path_factory.mktemp("asked"), np.random.default_rng(0)
    values = rng.normal(size=(80, 4)).round(4)
    tables = {name: folder / f"{name}.csv" for name in ("own", "few", "other")}
    for name, rows in {"own": values, "few": values[:8], "other": values[:, :3]}.items():
        head = ",".join("abcd"[: rows.shape[1]])
        np.savetxt(tables[name], rows, delimiter=",", header=head, comments="", fmt="%.4f")
    for name in ("encoded", "new"):
        ll.train(str(tables["own"]), folder / name, steps=2, latent_dim=2, threads=1)
    ll.encode(ll.Run(folder / "encoded"))
    return folder, tables


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("debias new --bins 0", "bins is 0 and smoothing 0.01; expected 2 to 1,000 bins"),
        ("support new --data few", "few has 8 rows, of which samples are compared with 4; expected more than 5"),
        ("analyze new --anchor nobody", "no row has the id nobody; ids go from 0 to 79"),
        ("analyze new --anchor 80", "no row has the id 80; ids go from 0 to 79"),
        ("probe encoded", "the codes have no labels and no categorical or ordinal factor; encode data that have some"),
        ("figure filling encoded -o x.png", "encoded has rows; parts can be hidden only in images"),
        ("figure filling encoded -o x.png --set nope=1", "figure filling has no option 'nope'; it has: "),
        ("explain encoded --names nothing.py:f", "nothing.py does not exist"),
        ("explain encoded --data other", "other has rows of 3 columns, but encoded was trained on rows of 4 columns"),
    ],
)
def test_what_was_asked_wrongly_is_told_before_anything_is_encoded_or_decoded(
    asked: tuple[Path, dict[str, Path]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: str,
    told: str,
) -> None:
    folder, tables = asked
    options = [str(tables.get(word, folder / word if (folder / word).is_dir() else word)) for word in words.split()]
    monkeypatch.setattr("latentlab.models.live.load_model", lambda *_: pytest.fail("a model was loaded"))
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert cli(options) == 2
    assert told in capsys.readouterr().err
    kept = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file() and path.name[0] != "."}
    assert kept == {path: when for path, when in before.items() if path.name[0] != "."}
