"""Combinations held out: a code that composes loses nothing, a table of combinations does; errors are a line."""

import json

import numpy as np
import pandas as pd
import pytest

import latentlab as ll
from latentlab.analysis.score.hold_out import METRICS, hold_out, named
from latentlab.analysis.score.stage import hold_out_codes
from latentlab.cli import run as cli
from latentlab.codes.h5ad import save_codes
from latentlab.data.dataset import Factor
from latentlab.errors import InputError
from latentlab.metrics.linear_probe import linear_probe
from latentlab.metrics.r2 import r2
from latentlab.system.registry import load, names

SIZES = (3, 4, 5)
NAMES = ("shape", "scale", "x_position")
FITTED = [name for name in names("metrics") if load("metrics", name).METRIC.needs in ("split", "labels")]
HELD = {"shape": [2], "scale": [2, 3]}


def levels(repeats=10):
    return np.tile(np.stack(np.unravel_index(np.arange(60), SIZES), axis=1), (repeats, 1)).astype(float)


def composed(seed=0):
    """A dimension for each factor: what is read of one does not depend on the others."""
    v = levels()
    return v + np.random.default_rng(seed).normal(scale=0.15, size=v.shape), v


def looked_up(seed=0):
    """A place of its own for each combination of shape and scale, and x beside it."""
    random, v = np.random.default_rng(seed), levels()
    places = random.normal(size=(12, 8))[(v[:, 0] * 4 + v[:, 1]).astype(int)]
    return np.column_stack([places, v[:, 2]]) + random.normal(scale=0.05, size=(len(v), 9)), v


def test_a_code_that_composes_is_read_as_well_on_combinations_held_out_and_a_table_is_not():
    differences = {}
    for code in (composed, looked_up):
        found = hold_out(*code(), HELD, factor_names=NAMES, metrics=["linear_probe"]).scores["linear_probe"]
        assert found["difference"] == pytest.approx(found["held_out"] - found["in_distribution"])
        assert found["in_distribution"] > 0.8
        differences[code] = found["difference"]
    assert abs(differences[composed]) < 0.1
    assert differences[looked_up] < -0.3


def test_no_row_is_held_out_and_fitted_to_and_all_others_are_used():
    z, v = composed()
    seen = []

    def noted(codes, factors, test_codes, test_factors, **options):
        seen.append((codes, test_codes, test_factors))
        return linear_probe(codes, factors, test_codes, test_factors, **options)

    module = load("metrics", "linear_probe")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "linear_probe", noted)
        found = hold_out(z, v, HELD, factor_names=NAMES, metrics=["linear_probe"])
    (train, same, _), (again, out, factors) = seen
    np.testing.assert_array_equal(train, again)
    assert ((factors[:, 0] == 2) & (factors[:, 1] >= 2)).all()
    assert len(out) == ((v[:, 0] == 2) & (v[:, 1] >= 2)).sum() == 100
    assert sorted(map(tuple, np.concatenate([train, same, out]))) == sorted(map(tuple, z))
    assert found.settings["rows"] == {"train": 334, "in_distribution": 166, "held_out": 100}


def test_the_numbers_are_the_metrics_own_over_factors_that_vary():
    z, v = composed()
    found = hold_out(z, v, HELD, factor_names=NAMES, metrics=["r2", "linear_probe", "dci"], seed=3)
    random = np.random.RandomState(3)
    out = (v[:, 0] == 2) & (v[:, 1] >= 2)
    rest = random.permutation(np.flatnonzero(~out))
    train, same = np.sort(rest[:334]), np.sort(rest[334:])
    numbers = {
        name: [metric(z[train], v[train], z[rows], v[rows]) for rows in (same, out)]
        for name, metric in (("r2", r2), ("linear_probe", linear_probe))
    }
    entry = found.scores["r2"]
    assert entry["factors"] == ["scale", "x_position"], "the shape has one level among the rows held out"
    expected = [np.mean([each.per_factor[j] for j in "12"]) for each in numbers["r2"]]
    assert [entry["in_distribution"], entry["held_out"]] == pytest.approx(expected, rel=1e-12)
    entry = found.scores["linear_probe"]
    assert entry["factors"] == list(NAMES)
    assert [entry["in_distribution"], entry["held_out"]] == [each.value for each in numbers["linear_probe"]]
    assert found.settings["constant_among_held_out"] == ["shape"]
    dci = found.scores["dci"]
    assert dci["difference"] == 0, "D is of the rows fitted to"
    assert set(dci["parts"]) == {"informativeness"}


@pytest.mark.parametrize("name", FITTED)
def test_every_metric_that_fits_has_both_numbers(name):
    found = hold_out(*composed(), HELD, factor_names=NAMES, metrics=[name])
    entry = found.scores[name]
    assert np.isfinite([entry["in_distribution"], entry["held_out"]]).all()
    assert abs(entry["difference"]) < (3 if name == "t_mex" else 0.6)


def test_metrics_that_fit_nothing_are_skipped_with_a_word():
    found = hold_out(*composed(), HELD, factor_names=NAMES, metrics=["mig", "linear_probe"])
    assert found.skipped == {"mig": "it fits nothing that other rows could be held out from"}
    assert list(found.scores) == ["linear_probe"]
    frame = found.to_frame()
    assert frame.metric.tolist() == ["linear_probe", "linear_probe", "mig"]
    assert frame.loc[0, "difference"] == found.scores["linear_probe"]["difference"]
    assert json.loads(json.dumps(found.to_json()))["settings"]["held_out"] == HELD


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"colour": [1]}, "no factor is called 'colour'; the factors are: shape, scale, x_position"),
        ({"shape": [9], "scale": [1]}, "9 is not a level of factor shape; its levels: 0, 1, 2"),
        ({"shape": [], "scale": [1]}, "no level is named of factor shape; its levels: 0, 1, 2"),
        ({}, "hold-out names no factor"),
        ({"shape": [2]}, "level 2 of shape occurs in no other combination, so nothing can be fitted to it"),
        ({"shape": [0, 1, 2], "scale": [1]}, "level 1 of scale occurs in no other combination"),
        (
            {"shape": [2], "scale": [3], "x_position": [0]},
            "10 rows are held out; expected at least 20: choose other levels",
        ),
        ({"shape": [0, 1, 2], "scale": [0, 1, 2, 3]}, "0 rows are left to score in distribution; expected at least 20"),
    ],
)
def test_what_cannot_be_held_out_is_one_line(wanted, message):
    with pytest.raises(InputError, match=message) as error:
        hold_out(*composed(), wanted, factor_names=NAMES)
    assert len(str(error.value)) <= 200


def test_continuous_and_constant_factors_have_no_levels_to_hold_out():
    z, v = composed()
    values = v + np.array([0, 0.25, 0])
    with pytest.raises(InputError, match="factor scale is continuous and has no levels to hold out"):
        hold_out(z, values, HELD, factor_names=NAMES)
    with pytest.raises(InputError, match="factor scale is continuous and has no levels"):
        hold_out(z, v, HELD, factor_names=NAMES, kinds=["categorical", "continuous", "ordinal"])
    with pytest.raises(InputError, match="factor shape has one level in all rows"):
        hold_out(z, v * [0, 1, 1], HELD, factor_names=NAMES)


def test_rows_without_a_label_are_not_held_out():
    z, v = composed()
    v[::3, 1] = np.nan
    found = hold_out(z, v, HELD, factor_names=NAMES, metrics=["linear_probe"])
    assert found.settings["rows"]["held_out"] == ((v[:, 0] == 2) & (v[:, 1] >= 2)).sum() < 100


def test_levels_are_named_by_name_or_value():
    specs = (Factor("shape", values=("square", "heart")), Factor("scale", "ordinal", (0.5, 0.75, 1.0)), Factor("x"))
    assert named({"shape": ["heart"], "scale": ["1", "0.5"], "x": ["3"]}, specs) == {
        "shape": [1.0], "scale": [2.0, 0.0], "x": [3.0],
    }  # fmt: skip
    for text, name in (("circle", "shape"), ("2", "scale"), ("much", "x")):
        with pytest.raises(InputError, match=f"{text!r} is not a level of factor {name}; expected"):
            named({name: [text]}, specs)


def codes():
    z, v = composed()
    specs = (Factor("shape", values=("square", "ellipse", "heart")), *(Factor(name, "ordinal") for name in NAMES[1:]))
    return ll.Codes(z.astype(np.float32), np.full(z.shape, 0.02, np.float32), v, specs)


def test_codes_of_a_run_are_scored_by_the_names_of_levels():
    found = hold_out_codes(codes(), {"shape": ["heart"], "scale": ["2", "3"]}, metrics=["linear_probe"])
    assert found.settings["rows"]["held_out"] == 100
    bare = ll.Codes(codes().mean, codes().variance)
    with pytest.raises(InputError, match="these codes have no factors, so no combination of levels can be held out"):
        hold_out_codes(bare, {"shape": ["heart"]})


def test_the_command_line_shows_both_numbers_and_the_difference(tmp_path, capsys):
    save_codes(tmp_path / "codes.h5ad", codes())
    args = ["score", str(tmp_path / "codes.h5ad"), "--hold-out", "shape=heart", "--hold-out", "scale=2,3"]
    assert cli([*args, "--metric", "linear_probe,mig"]) == 0
    shown = capsys.readouterr().out
    assert "in distribution" in shown
    assert "difference" in shown
    assert "Fitted to 334 rows without the combinations; scored on 166 other rows and on 100 rows held out." in shown
    assert "shape has one level among the rows held out: only probes count it." in shown
    assert "mig was skipped: it fits nothing" in shown
    assert cli([*args, "--metric", "snc", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["scores"]["snc"]) >= {"in_distribution", "held_out", "difference"}


def test_files_of_arrays_are_held_out_by_value_and_bad_options_are_a_line(tmp_path, capsys):
    z, v = composed()
    np.save(tmp_path / "z.npy", z)
    np.savetxt(tmp_path / "v.csv", v, fmt="%d", delimiter=",", header=",".join(NAMES), comments="")
    args = ["score", "--codes", str(tmp_path / "z.npy"), "--metric", "linear_probe"]
    labelled = [*args, "--factors", str(tmp_path / "v.csv")]
    assert cli([*labelled, "--hold-out", "shape=2", "--hold-out", "scale=2,3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["rows"]["held_out"] == 100
    wrong = {
        "expected FACTOR=LEVEL,… once per factor": [*labelled, "--hold-out", "shape"],
        "--hold-out needs one array of codes and one of factors": [*args, "--hold-out", "shape=2"],
        "--hold-out splits all rows itself": [*labelled, "--hold-out", "shape=2", "--grid", "3,4,5"],
        "leave out --grid, --resample-slow, --encode": [*labelled, "--hold-out", "shape=2", "--encode", "protocol"],
        "no factor is called 'colour'": [*labelled, "--hold-out", "colour=2"],
    }
    for message, line in wrong.items():
        assert cli(line) == 2
        assert message in capsys.readouterr().err


def worded():
    """Factors of words, truth values and numbers, as a data frame."""
    z, v = composed()
    words = np.array(["square", "ball", "heart"])[v[:, 0].astype(int)]
    return z, pd.DataFrame({"shape": words, "large": v[:, 1] >= 2, "x_position": v[:, 2].astype(int)})


def test_words_and_truth_values_of_a_data_frame_are_held_out_by_name():
    z, frame = worded()
    rows = int(((frame["shape"] == "heart") & frame["large"]).sum())
    for levels in ({"shape": ["heart"], "large": ["true"]}, {"shape": ["heart"], "large": [True]}):
        found = hold_out(z, frame, levels, metrics=["linear_probe"])
        assert found.settings["rows"]["held_out"] == rows
        assert found.settings["held_out"] == {"shape": [1.0], "large": [1.0]}
    with pytest.raises(InputError, match="'circle' is not a level of factor shape; expected ball, heart, square"):
        hold_out(z, frame, {"shape": ["circle"]})
    for alone in ("heart", 1):
        with pytest.raises(InputError, match=r"levels of shape are .*; expected several in brackets, as in \["):
            hold_out(z, frame, {"shape": alone, "x_position": [1]})


@pytest.mark.parametrize("header", [True, False])
def test_words_of_a_table_are_held_out_by_name(tmp_path, capsys, header):
    z, frame = worded()
    np.save(tmp_path / "z.npy", z)
    frame.to_csv(tmp_path / "v.csv", index=False, header=header)
    names = list(frame) if header else ["factor_0", "factor_1"]
    args = ["score", "--codes", str(tmp_path / "z.npy"), "--factors", str(tmp_path / "v.csv"), "--json"]
    held = ["--hold-out", f"{names[0]}=heart,ball", "--hold-out", f"{names[1]}={'true' if header else 'True'}"]
    assert cli([*args, *held, "--metric", "linear_probe"]) == 0
    found = json.loads(capsys.readouterr().out)["settings"]
    assert found["rows"]["held_out"] == int((frame["shape"].isin(["heart", "ball"]) & frame["large"]).sum())


def test_metrics_by_default_are_such_as_fit():
    assert all(load("metrics", name).METRIC.needs in ("split", "labels") for name in METRICS)
    assert ll.hold_out.__name__ == "hold_out"
