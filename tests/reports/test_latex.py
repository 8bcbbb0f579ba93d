"""The LaTeX table says the numbers of the comparison, how far seeds differ, and nothing that LaTeX would not take."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from toy import write_run, write_study

from latentlab.cli import run as latentlab
from latentlab.errors import InputError
from latentlab.reports.latex import escape, latex
from latentlab.runs.comparison import compare, summarise
from latentlab.runs.run import Run
from latentlab.runs.study import Study


def body(text: str) -> list[list[str]]:
    """The cells of a table, the heading first."""
    inside = text.split(r"\toprule")[1].split(r"\bottomrule")[0].replace(r"\midrule", "")
    lines = [line.removesuffix(r"\\").strip() for line in inside.strip().splitlines() if line.strip()]
    return [[cell.strip() for cell in re.split(r"(?<!\\)&", line)] for line in lines]


def caption(text: str) -> str:
    return text.split(r"\caption{")[1].split("\n")[0].removesuffix("}")


def test_entries_are_mean_and_spread_over_seeds(toy_study: Study) -> None:
    table = compare(toy_study)
    heading, *rows = body(latex(table, measures=["rate", "mig"]))
    assert heading == ["Setting", "$n$", "Rate, nats", r"MIG $\uparrow$"]
    summary = summarise(table)
    assert [row[:2] for row in rows] == [[escape(name), "2"] for name in summary["setting"]]
    for row, mean, sd in zip(rows, summary["mig_mean"], summary["mig_sd"], strict=True):
        assert row[3] == rf"{mean:.3f} $\pm$ {sd:.3f}"
    assert rows[0][2] == "--", "an autoencoder has no rate"


def test_the_longer_side_goes_down_the_page(toy_study: Study) -> None:
    heading, seeds, *rows = body(latex(compare(toy_study)))
    assert heading == ["", "AE", r"$\beta$ = 1", r"$\beta$ = 4", r"$\beta$ = 16"]
    assert seeds == ["$n$", "2", "2", "2", "2"]
    assert [row[0] for row in rows][-1] == r"MIG $\uparrow$"
    assert r"$-$" in next(row for row in rows if row[0].startswith("ELBO"))[2]


def test_the_caption_says_what_the_numbers_rest_on(toy_study: Study) -> None:
    said = caption(latex(compare(toy_study)))
    assert "sample standard deviation over $n$ seeds" in said
    assert r"95\,\% intervals of at most $\pm$ 0.030 (MIG)" in said
    assert "rotated codes reach up to 0.100 (MIG)" in said
    assert "left out" not in said


def test_one_seed_has_no_spread_and_broken_runs_are_counted(tmp_path: Path) -> None:
    for beta in (1.0, 4.0):
        write_run(tmp_path / f"b{beta:g}", beta, 0)
    write_run(tmp_path / "broken", 16.0, 0)
    (tmp_path / "broken" / "config.json").write_text("{")
    text = latex(compare(Study(tmp_path)))
    assert r"\pm" not in text.split(r"\caption")[0]
    assert "There is one seed per setting" in caption(text)
    assert "1 broken or diverged run left out" in caption(text)


def test_only_what_the_rule_names_best_is_bold(tmp_path: Path, toy_study: Study) -> None:
    assert r"\textbf" not in latex(compare(toy_study)), "two seeds cannot name a best setting"
    for beta in (1.0, 16.0):
        for seed in range(4):
            write_run(tmp_path / f"b{beta:g}-{seed}", beta, seed)
    rows = body(latex(compare(Study(tmp_path)), measures=["mig"]))[1:]
    assert [row[2].startswith(r"\textbf{") for row in rows] == [False, True]


def test_what_latex_takes_for_commands_is_written_out(tmp_path: Path) -> None:
    run = write_run(tmp_path / "odd", None, 0)
    table = compare(Run(run.path))
    table["setting"] = r"100% {a}_b & \input{x} #1 ~^"
    text = latex(table, measures=["mig"])
    assert r"\input{" not in text
    assert r"100\% \{a\}\_b \& \textbackslash{}input\{x\} \#1" in text
    plain = re.sub(r"\\[{}]", "", text)
    assert plain.count("{") == plain.count("}")


def test_the_verb_writes_either_and_refuses_other_endings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = str(write_study(tmp_path / "study").path)
    for name in ("t.tex", "t.csv"):
        assert latentlab(["compare", study, "-o", str(tmp_path / name), "--metric", "mig", "--quiet"]) == 0
    assert "DCI" not in (tmp_path / "t.tex").read_text()
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 9
    for name in ("t.txt", "t", "t.TEX.gz"):
        assert latentlab(["compare", study, "-o", str(tmp_path / name)]) == 2
        told = capsys.readouterr().err.splitlines()
        assert len(told) == 1
        assert "expected .csv (one row per run) or .tex" in told[0]
        assert not (tmp_path / name).exists()


def test_runs_without_anything_to_show_say_so(tmp_path: Path) -> None:
    write_run(tmp_path / "young", 4.0, 0, analysed=False)
    with pytest.raises(InputError, match="latentlab analyze"):
        latex(compare(Study(tmp_path)))
    with pytest.raises(InputError, match="do not have the measure 'speed'"):
        latex(compare(Study(tmp_path)), measures=["speed"])
