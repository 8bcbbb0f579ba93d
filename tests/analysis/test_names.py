"""A dimension earns the name of what it follows, in the right direction, and nothing else earns one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toy import toy_codes, write_run

import latentlab as ll
from latentlab.analysis.names.candidates import as_attribute
from latentlab.analysis.names.detection import cut
from latentlab.analysis.names.measure import LEAST, Verdict, holm, judge
from latentlab.analysis.names.plugin import proposals
from latentlab.analysis.names.record import Names
from latentlab.analysis.names.stage import names
from latentlab.codes.dimensions import dimensions
from latentlab.data import Factor
from latentlab.data.attributes import Attribute
from latentlab.errors import InputError
from latentlab.metrics._draws import rotation
from latentlab.runs.notes import name_dimension
from latentlab.runs.run import Run

N = 1000
SPECS = (
    Factor("x", "continuous", tuple(np.linspace(0, 1, 16).tolist())),
    Factor("angle", "circular", tuple(range(0, 360, 30))),
    Factor("shape", "categorical", ("square", "ellipse", "heart")),
    Factor("shade", "continuous"),
)


def planted(seed: int, noise: float = 0.2) -> tuple[np.ndarray, list[Attribute]]:
    """Codes of four factors with noise, and two dimensions of noise alone; the factors as attributes."""
    rng = np.random.default_rng(seed)
    levels = [rng.integers(0, spec.levels, N).astype(float) for spec in SPECS[:3]]
    factors = np.column_stack([*levels, rng.standard_normal(N)])
    z = (factors - factors.mean(axis=0)) / factors.std(axis=0) + noise * rng.standard_normal(factors.shape)
    known = [as_attribute(spec, column) for spec, column in zip(SPECS, factors.T, strict=True)]
    return np.column_stack([z, rng.standard_normal((N, 2))]), known


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    return judge(*planted(0))


def test_planted_dimensions_earn_their_names_and_noise_earns_none(verdicts: list[Verdict]) -> None:
    assert [each.name for each in verdicts[:4]] == [spec.name for spec in SPECS]
    assert [each.earned for each in verdicts] == [True] * 4 + [False] * 2
    for each in verdicts[:4]:
        assert each.detection >= LEAST
        assert each.hard >= LEAST
        assert each.interval[0] <= each.detection <= each.interval[1]


def test_the_words_say_what_low_and_high_codes_have(verdicts: list[Verdict]) -> None:
    shown = {each.name: (each.low, each.high) for each in verdicts[:4]}
    assert shown["shape"] == ("square", "heart")
    low, high = map(float, shown["angle"])
    assert 30 <= low <= 120
    assert 210 <= high <= 300
    assert float(shown["x"][0]) < 0.4
    assert float(shown["x"][1]) > 0.6
    assert float(shown["shade"][0]) < 0 < float(shown["shade"][1])


def test_the_sign_of_a_dimension_turns_its_direction_and_nothing_else(verdicts: list[Verdict]) -> None:
    codes, known = planted(0)
    turned = judge(-codes, known)
    for each, other in zip(verdicts[:4], turned, strict=False):
        assert (other.name, other.low, other.high, other.earned) == (each.name, each.high, each.low, True)
        assert other.detection == pytest.approx(each.detection, abs=0.01)


def test_scale_and_shift_of_codes_change_nothing(verdicts: list[Verdict]) -> None:
    codes, known = planted(0)
    again = judge(codes * [1, 10, 0.1, 5, 1, 100] + 3, known)
    assert [each.detection for each in again] == pytest.approx([each.detection for each in verdicts])
    assert [each.earned for each in again] == [each.earned for each in verdicts]


def test_rotated_codes_earn_no_name_although_they_detect() -> None:
    codes, known = planted(1, noise=0.05)
    found = judge(codes[:, :4] @ rotation(np.random.default_rng(3), 4), known)
    assert max(each.detection for each in found) > LEAST
    assert not any(each.earned for each in found)
    assert any("rotated" in each.why for each in found)


def test_a_dimension_that_only_follows_another_earns_nothing() -> None:
    codes, known = planted(2)
    x = codes[:, 0] / codes[:, 0].std()
    copy = 0.9 * x + np.sqrt(1 - 0.81) * np.random.default_rng(0).standard_normal(N)
    found = judge(np.column_stack([codes, copy]), known)[-1]
    assert found.name == "x"
    assert found.detection > LEAST
    assert found.hard < 0.65
    assert not found.earned


def test_unknown_values_are_left_out_and_a_constant_attribute_detects_nothing() -> None:
    codes, known = planted(0)
    half = known[0].values.copy()
    half[::2] = np.nan
    found = judge(codes, [replace(known[0], values=half), Attribute("constant", np.ones(N))])
    assert found[0].name == "x"
    assert found[0].earned
    assert not found[1].earned


def test_numbers_are_cut_into_levels_of_equally_many_rows() -> None:
    levels = cut(Attribute("a", np.r_[np.arange(1000.0), np.nan]))
    assert levels.of[-1] == -1
    assert set(np.bincount(levels.of[:-1])) == {10}


def test_few_rows_are_refused() -> None:
    codes, known = planted(0)
    with pytest.raises(InputError, match=r"50 rows.*at least 100"):
        judge(codes[:50], [replace(each, values=each.values[:50]) for each in known])


def test_holm_is_at_least_each_share_and_at_most_bonferroni() -> None:
    shares = np.random.default_rng(0).random(20) ** 4
    adjusted = holm(shares)
    assert ((adjusted >= shares) & (adjusted <= np.minimum(20 * shares, 1))).all()


PLUGIN = """
import numpy as np

def honest(low, high):
    return [("ink", "little", "much", lambda samples: samples.reshape(len(samples), -1).mean(axis=1))]

def tailored(low, high):
    way = high.reshape(len(high), -1).mean(axis=0) - low.reshape(len(low), -1).mean(axis=0)
    return [("made to fit", "less", "more", lambda samples: samples.reshape(len(samples), -1) @ way)]

def broken(low, high):
    raise RuntimeError("no such model")

def wrong(low, high):
    return [("ink", "little", "much")]

def short(low, high):
    return [("ink", "little", "much", lambda samples: [1.0])]
"""


@pytest.fixture
def plugin(tmp_path: Path) -> str:
    (tmp_path / "own.py").write_text(PLUGIN)
    return f"{tmp_path}/own.py"


def test_proposals_of_the_users_own_file_are_scored_like_others(plugin: str) -> None:
    rng = np.random.default_rng(0)
    samples = rng.standard_normal((N, 6))
    total = samples.mean(axis=1) / samples.mean(axis=1).std()
    codes = np.column_stack([total + 0.2 * rng.standard_normal(N), rng.standard_normal((N, 4))])
    found = judge(codes, [], propose=proposals(f"{plugin}:honest", samples))
    assert (found[0].name, found[0].low, found[0].high, found[0].earned) == ("ink", "little", "much", True)
    assert not any(each.earned for each in found[1:])


def test_an_attribute_made_to_fit_its_dimension_earns_nothing(plugin: str) -> None:
    samples = np.random.default_rng(0).standard_normal((N, 5))
    found = judge(samples, [], propose=proposals(f"{plugin}:tailored", samples))
    assert min(each.detection for each in found) > LEAST
    assert not any(each.earned for each in found)


@pytest.mark.parametrize(
    ("name", "why"),
    [("broken", "RuntimeError: no such model"), ("wrong", "expected"), ("short", r"\(1,\)"), ("absent", "has no")],
)
def test_what_is_wrong_with_the_users_file_is_said(plugin: str, name: str, why: str) -> None:
    codes, _ = planted(0)
    with pytest.raises(InputError, match=why):
        judge(codes, [], propose=proposals(f"{plugin}:{name}", codes))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return write_run(tmp_path / "run", None, 0)


def test_names_are_kept_and_shown_where_the_user_gave_none(run: Run) -> None:
    found = names(run)
    stamp = (run.path / "names.json").stat().st_mtime_ns
    assert names(run).to_json() == found.to_json() == run.read("names").to_json()
    assert (run.path / "names.json").stat().st_mtime_ns == stamp
    assert [each.name for each in found.verdicts[:3]] == ["x", "y", "shape"]
    assert set(found.earned) == {0, 1, 2}
    name_dimension(run, 1, name="up and down")
    table = dimensions(toy_codes(None, 0), notes=run.named()).set_index("dim")
    assert table.loc["z0", ["name", "named_by"]].tolist() == [found.earned[0], "detection"]
    assert table.loc["z1", ["name", "named_by"]].tolist() == ["up and down", "user"]
    assert table.loc["z3", ["name", "named_by"]].tolist() == ["", ""]
    assert run.notes()["dimensions"] == {"1": {"name": "up and down", "note": ""}}


def test_the_table_says_why_a_name_was_not_earned(run: Run) -> None:
    row = names(run).to_frame().set_index("dim").loc["z3"]
    assert not row["earned"]
    assert "0.8" in row["why"]


def test_a_damaged_file_is_said_with_what_makes_it(run: Run) -> None:
    names(run)
    path = run.path / "names.json"
    path.write_text(path.read_text().replace('"low"', '"down"', 1))
    with pytest.raises(InputError, match="explain"):
        run.read("names")
    assert isinstance(names(run), Names)  # it is made again


def test_codes_without_factors_and_samples_say_what_is_missing(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", None, 0, analysed=False)
    from toy import analyse

    analyse(run, replace(toy_codes(None, 0), factors=None, specs=(), grid=None), None, 0)
    with pytest.raises(InputError, match="no factors are known, and nothing can be measured"):
        names(run)


def test_names_are_proposed_again_where_a_file_that_the_plugin_imports_is_another(tmp_path: Path) -> None:
    data = ll.data.load("digits").take(np.arange(300))
    run = ll.train(data, tmp_path / "run", steps=40, latent_dim=2, objective="ae")
    ll.encode(run, data)
    words = tmp_path / "words.py"
    words.write_text("WORD = 'ink'\n")
    (tmp_path / "asks.py").write_text(
        "import words\n\ndef propose(low, high):\n"
        "    with open(__file__ + '.asked', 'a') as file:\n        file.write(words.WORD + ' ')\n"
        "    return [(words.WORD, 'little', 'much', lambda samples: samples.reshape(len(samples), -1).mean(1))]\n"
    )
    for word in ("ink", "ink", "weight", "weight"):
        if word == "weight":
            words.write_text("WORD = 'weight'\n")
        found = names(run, data=data, plugin=f"{tmp_path}/asks.py:propose")
        assert found.settings["plugin"].endswith("propose")
        told = dict.fromkeys((tmp_path / "asks.py.asked").read_text().split())
        assert list(told) == (["ink"] if word == "ink" else ["ink", "weight"])
    asked = (tmp_path / "asks.py.asked").read_text()
    names(run, data=data, plugin=f"{tmp_path}/asks.py:propose")
    assert (tmp_path / "asks.py.asked").read_text() == asked  # nothing has changed: nothing is asked
