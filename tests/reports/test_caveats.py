"""What a study gives reason to beware of is said, and nothing else is."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from toy import analyse, toy_codes, toy_score, write_run

from latentlab.analysis.score.stage import write_scores
from latentlab.reports.caveats import caveats
from latentlab.runs.comparison import compare
from latentlab.runs.study import Study


def said(study: Study) -> str:
    return "\n".join(caveats(compare(study)))


def test_two_seeds_and_an_autoencoder_are_said(toy_study: Study) -> None:
    told = said(toy_study)
    assert "At most 2 seeds per setting" in told
    assert "AE: a deterministic encoder has no rate, no KL" in told
    assert "a mean over 512 of 768 rows" in told
    assert "Without an interval: DCI disentanglement" in told
    assert "cannot be read" not in told
    assert "randomly rotated" not in told, "the toy's scores are above what rotated codes reach"


def test_a_score_that_rotated_codes_reach_is_called_no_evidence(toy_study: Study) -> None:
    table = compare(toy_study)
    table.loc[table["run"] == "beta-4-seed-0", "mig_null"] = 0.9
    told = "\n".join(caveats(table))
    assert "Mutual information gap (1 of 8 runs) do not exceed" in told


@pytest.fixture
def spoilt(toy_study: Study, tmp_path: Path) -> Path:
    for name in ("beta-1-seed-0", "beta-4-seed-0", "beta-16-seed-0"):
        shutil.copytree(toy_study.path / name, tmp_path / name)
    return tmp_path


def test_what_is_broken_stale_damaged_or_missing_is_named(spoilt: Path) -> None:
    shutil.copytree(spoilt / "beta-1-seed-0", spoilt / "broken")
    (spoilt / "broken" / "config.json").write_text("{")
    shutil.copy(spoilt / "beta-1-seed-0" / "codes.h5ad", spoilt / "beta-4-seed-0" / "codes.h5ad")
    (spoilt / "beta-16-seed-0" / "codes.h5ad").write_bytes(b"cut")
    write_run(spoilt / "young", 2.0, 0, analysed=False)
    told = said(Study(spoilt))
    assert "Run broken cannot be read and is left out" in told
    assert "Run beta-4-seed-0: the codes were made from different weights" in told
    assert "A file of beta-16-seed-0 cannot be read" in told
    assert "Run young: each was not encoded" in told or "Run young was not encoded" in told
    assert "There is one seed per setting" in told


def test_collapse_and_unknown_factors_are_said(tmp_path: Path) -> None:
    run, codes = write_run(tmp_path / "run", 4.0, 0, analysed=False), toy_codes(4.0, 0)
    analyse(run, replace(codes, mean=codes.mean * 0.01, factors=None, specs=(), grid=None), 4.0, 0)
    told = said(Study(tmp_path))
    assert "collapsed: no dimension is in use" in told
    assert "without known factors" in told


def test_four_good_seeds_of_one_setting_give_no_reason_but_what_was_sampled(tmp_path: Path) -> None:
    for seed in range(4):
        codes = toy_codes(4.0, seed)
        run = write_run(tmp_path / f"s{seed}", 4.0, seed, analysed=False)
        analyse(run, replace(codes, distortion=None), 4.0, seed)
        mig = toy_score(codes, 4.0, seed)["mig"]
        write_scores(run, {"mig": mig}, {}, {})
    assert caveats(compare(Study(tmp_path))) == []
