"""The whole repository is clean by its linter, its formatter and its type checker."""

import ast
import subprocess
import sys

import pytest
from conftest import LONG, ROOT


@pytest.mark.parametrize(
    "command",
    [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]],
    ids=["lint", "format", "types"],
)
def test_clean(command: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


LONGEST = 60  # lines of a function's body, without its docstring; a verb's options stand in its head


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    told = ast.get_docstring(function) is not None
    code = function.body[told:]
    return code[-1].end_lineno - code[0].lineno + 1 if code else 0


def test_no_function_is_long() -> None:
    lengths = {
        f"{path.relative_to(ROOT)}:{each.lineno} {each.name}": body_lines(each)
        for folder in ("latentlab", "dashboards")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for each in ast.walk(ast.parse(path.read_text()))
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(lengths) > 1000
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


def test_the_files_that_are_begun_first_are_there() -> None:
    assert [name for name in LONG if not (ROOT / "tests" / name).is_file()] == []
