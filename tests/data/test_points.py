"""The axis of signals is found under the names that people give it, and nothing else becomes a point."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from latentlab.data import load
from latentlab.data._points import points_of
from latentlab.errors import InputError

RNG = np.random.default_rng(0)
N, T = 12, 9
AXIS = np.sort(RNG.uniform(400, 4000, T).round(1))[::-1]
X = RNG.normal(size=(N, T))


@pytest.mark.parametrize("name", ["wavelength", "Wavenumbers", "raman shift", "ppm", "axis"])
@pytest.mark.parametrize("ending", [".npz", ".h5"])
def test_an_array_called_as_an_axis_is_the_axis(tmp_path: Path, name: str, ending: str) -> None:
    path = tmp_path / f"s{ending}"
    if ending == ".npz":
        np.savez(path, **{"x": X, name: AXIS, "dose": np.arange(N)})
    else:
        with h5py.File(path, "w") as file:
            file["x"], file[name], file["dose"] = X, AXIS, np.arange(N)
    data = load(str(path))
    assert data.form.kind == "signal"
    np.testing.assert_array_equal(data.form.axis, AXIS)
    assert ("the axis is" in " ".join(data.remarks)) == (name != "axis")
    assert [each for each in data.remarks if "skipped" in each] == ["1 of 3 arrays and groups skipped: dose"]


def test_what_is_no_axis_stays_none(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", x=RNG.normal(size=(T, T)), time=RNG.permutation(T))  # a time of each sample
    data = load(str(tmp_path / "s.npz"))
    assert data.form.kind == "table"
    assert "skipped: time" in data.remarks[-1]
    np.savez(tmp_path / "t.npz", x=X, wavelength=AXIS)
    assert load(str(tmp_path / "t.npz"), kind="table").form.kind == "table"


@pytest.mark.parametrize(
    ("form", "unit"), [("{}", ""), ("X{}", ""), ("{} nm", "nm"), ("{}nm", "nm"), ("wl_{}", ""), ("{} (cm-1)", "cm-1")]
)
def test_names_with_letters_around_their_number_are_the_axis_and_a_measurement_is_no_point(
    tmp_path: Path, form: str, unit: str
) -> None:
    frame = pd.DataFrame(X, columns=[form.format(point) for point in AXIS])
    frame.insert(0, "sample", [f"s{k}" for k in range(N)])
    frame["protein"] = 1000 + np.arange(N) / 8
    frame.to_csv(tmp_path / "s.csv", index=False)
    data = load(f"{tmp_path / 's.csv'}:kind=signal")
    assert data.shape == (N, 1, T)
    np.testing.assert_array_equal(data.form.axis, AXIS)
    assert data.form.axis_unit == unit
    assert any("protein (no number as its name" in each for each in data.remarks)
    assert load(f"{tmp_path / 's.csv'}:kind=signal,axis_unit=m").form.axis_unit == "m"


def test_names_that_only_count_are_no_axis_but_tell_points_from_others(tmp_path: Path) -> None:
    frame = pd.DataFrame(X, columns=[f"p{k}" for k in range(T)]).assign(protein=1000 + np.arange(N) / 8)
    frame.to_csv(tmp_path / "s.csv", index=False)
    data = load(f"{tmp_path / 's.csv'}:kind=signal")
    assert data.shape == (N, 1, T)
    assert len(data.form.axis or ()) == 0
    assert points_of(["gene1", "dose", "age", "x2"]).numbers == {}


def test_rows_with_gaps_are_counted(tmp_path: Path) -> None:
    holed = X.copy()
    holed[[3, 7], 2] = np.nan
    np.savez(tmp_path / "s.npz", x=holed, axis=AXIS)
    with pytest.raises(InputError, match=r"NaN or infinity in 2 of 12 rows \(first in row 3\)"):
        load(str(tmp_path / "s.npz"))
