"""The form of the command line: panels, what questions take, what --out means, and one answer for several runs."""

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.main import get_command

from latentlab.analysis.encode.stage import encode
from latentlab.cli import PANELS, _console, build
from latentlab.cli import run as latentlab
from latentlab.runs.stage import stages
from latentlab.system.registry import load
from latentlab.training.train import train

QUESTIONS = [name for name, stage in stages().items() if stage.place is None and stage.verb == name]
FOLDER = {"train", "sweep", "import", "demo", "publish", "teach", "data fetch", "zoo fetch"}  # what makes a folder
FILE = {"explain", "advise", "compare", "debias", "figure", "intervene", "leakage", "report"}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small runs, encoded."""
    path = tmp_path_factory.mktemp("study")
    for seed in (0, 1):
        encode(train("digits", path / f"run{seed}", steps=20, latent_dim=2, seed=seed, threads=1))
    return path


def test_panels_stand_in_their_order(capsys):
    assert latentlab(["--help"]) == 0
    titles = re.findall(r"^╭─ (.*?) ─+╮$", capsys.readouterr().out, re.MULTILINE)
    assert tuple(title for title in titles if title != "Options") == PANELS
    assert PANELS == ("Train", "Analyse", "Ask one question", "Show", "Files")


def test_questions_have_a_panel_of_their_own_and_take_runs_and_studies():
    commands = get_command(build()).commands
    panel = [name for name, each in commands.items() if each.rich_help_panel == "Ask one question"]
    assert sorted(panel) == QUESTIONS
    for name in QUESTIONS:
        takes = inspect.signature(getattr(load("cli", name), name), eval_str=True).parameters["paths"]
        assert takes.annotation == _console.Paths, name
        assert next(each for each in commands[name].params if each.name == "paths").metavar == "RUN_OR_STUDY…"


def commands() -> Iterator[tuple[str, Any]]:
    """Every command with its name, those of ``data`` and ``zoo`` included."""
    for name, command in get_command(build()).commands.items():
        inner = {f"{name} {each}": sub for each, sub in getattr(command, "commands", {}).items()}
        yield from (inner or {name: command}).items()


def test_a_help_begins_with_one_line():
    broken = [name for name, command in commands() if "\n" in command.help.strip().split("\n\n")[0]]
    assert broken == []  # the list of commands would break it in the middle


def test_a_default_that_a_command_fills_in_is_said_in_words():
    short = re.compile(r"\((?:[\d.,]+[^)]*|yes|no|all|one per core|the network's own)\)\.$")
    said = [
        (name, each.name) for name, command in commands() for each in command.params if short.search(each.help or "")
    ]
    assert said == []


def outs() -> dict[str, tuple[list[str], str]]:
    """The flags and the help of every option called out, by command."""
    options = {name: {option.name: option for option in command.params} for name, command in commands()}
    return {name: (each["out"].opts, each["out"].help) for name, each in options.items() if "out" in each}


def test_out_is_a_folder_for_what_makes_runs_and_a_file_otherwise():
    assert outs().keys() == FOLDER | FILE | {"export"}
    for name, (flags, text) in outs().items():
        assert sorted(flags) == ["--out", "-o"], name
        if name != "export":
            assert (("folder" in text.lower()), ("file" in text.lower())) == (name in FOLDER, name in FILE), name
    assert outs()["export"][1].startswith("File to write; with huggingface, study and tensorboard a folder")


NEEDED = {  # what stands before --out where a verb needs more than a run
    "advise": ["digits"],
    "data fetch": ["mnist"],
    "demo": [],
    "export": ["absent", "--to", "h5ad"],
    "figure": ["kl", "absent"],
    "import": ["state-dict", "absent.pt"],
    "sweep": [],
    "teach": [],
    "train": ["--data", "absent"],
    "zoo fetch": ["VAE_mnist"],
}


@pytest.mark.parametrize("verb", sorted(FOLDER | FILE | {"export"}))
def test_out_is_refused_before_anything_is_opened(verb, tmp_path, capsys):
    taken = tmp_path / "taken.csv"
    taken.write_text("")
    wrong = [taken / "inside.csv"]  # below a file
    wrong += [taken] if verb in FOLDER else []
    wrong += [tmp_path, tmp_path / "x.odd"] if verb in FILE - {"figure"} else []  # a folder, and an ending of no format
    for out in wrong:
        status = latentlab([*verb.split(), *NEEDED.get(verb, ["absent"]), "--out", str(out)])
        said = capsys.readouterr().err
        assert status == 2, said
        assert str(out) in said, said
        assert "absent" not in said
        assert said.count("\n") == 1


def test_no_seed_is_negative():
    commands = get_command(build()).commands.values()
    seeds = [option for each in commands for option in getattr(each, "params", ()) if option.name == "seed"]
    assert len(seeds) >= 9
    assert {option.min for option in seeds} == {0}


def test_an_empty_argument_is_no_path(capsys):
    for name, command in get_command(build()).commands.items():
        for line in [f"{name} {each}" for each in getattr(command, "commands", {})] or [name]:
            for words in ([""], ["--out="], ["--data", ""]):
                assert latentlab([*line.split(), *words]) == 2
                assert re.fullmatch(r"latentlab: the argument after \S+ is empty; .*\n", capsys.readouterr().err)


@pytest.mark.parametrize(
    "line",
    [("debias",), ("explain", "--rows", "4", "--steps", "5"), ("outliers", "--against", "digits:inverted=1")],
    ids=lambda line: line[0],
)
def test_what_fails_of_one_run_leaves_the_others_answered(line, study, tmp_path, capsys):
    status = latentlab([*line, str(study), str(tmp_path / "absent"), "--json"])
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert status == 1
    assert [each["run"] for each in found["runs"]] == [str(study / f"run{seed}") for seed in (0, 1)]
    assert [each["run"] for each in found["failed"]] == [str(tmp_path / "absent")]
    assert all(len(each) > 1 for each in found["runs"])
    assert said.err.count("\n") == 1


def test_weights_are_written_of_a_single_run(study, tmp_path, capsys):
    out = tmp_path / "weights.npy"
    assert latentlab(["debias", str(study), "-o", str(out)]) == 2
    assert capsys.readouterr().err.startswith("latentlab: --out is for one run, and 2 were given")
    assert not out.exists()
    assert latentlab(["debias", str(study / "run0"), "-o", str(out), "-q"]) == 0
    assert len(np.load(out)) == 1797


def test_the_other_way_round_is_for_a_single_run(study, capsys):
    line = ["outliers", "--against", "digits:inverted=1", "--reverse", str(study / "run1")]
    assert latentlab([*line, str(study)]) == 2
    assert capsys.readouterr().err.startswith("latentlab: --reverse is for one run, and 2 were given")
    assert latentlab([*line, str(study / "run1")]) == 2
    assert "the run itself" in capsys.readouterr().err


def test_several_runs_are_named_in_the_tables(study, capsys):
    assert latentlab(["debias", str(study)]) == 0
    told = capsys.readouterr().out
    assert all(f"{study / f'run{seed}'}: 1,797 rows weighted" in told for seed in (0, 1))


def test_the_demo_runs_stages_that_need_a_run_and_its_data_alone() -> None:
    from latentlab.cli.demo import STAGES

    named = STAGES.split(",")
    assert set(named) <= set(stages())
    assert not [name for name in named if stages()[name].asks]
