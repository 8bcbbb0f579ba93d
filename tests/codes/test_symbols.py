"""How latent dimensions are written and read, and that one module alone does both."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import ROOT

from latentlab.codes.symbols import index_of, moves, symbol, symbols
from latentlab.errors import InputError

HOME = ROOT / "latentlab/codes/symbols.py"
STEM = re.compile(r"(?<![A-Za-z])z$")  # the end of a text that a number may follow
SCRIPT = re.compile(r"(?<![A-Za-z])z\$\{|(?<![\w.])([\"'`])z\1 *\+")


def test_symbols_are_read_as_they_are_written() -> None:
    assert [index_of(each, 12) for each in symbols(12)] == list(range(12))
    assert moves(", ".join(f"{symbol(j)}=-{j}.25" for j in range(12)), 12) == {j: -j - 0.25 for j in range(12)}


@pytest.mark.parametrize("written", ["z12", "z-1", "z", "12", "", "zz1", "z1.0", " z1", "z1=2", "z9999999", "Z1"])
def test_what_is_no_symbol_is_refused(written: str) -> None:
    with pytest.raises(InputError, match="is not a latent dimension; expected one of z0 to z11"):
        index_of(written, 12)


@pytest.mark.parametrize("text", ["z12=1", "z1", "z1=", "=1", "z1=nan", "z1=1e3", "z0=1, tail"])
def test_what_sets_no_value_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"moves no dimension; expected such as z0=1\.5, with z0 to z11"):
        moves(text, 12)


def test_values_may_be_parted_as_people_part_them() -> None:
    assert moves("z0=1;z2=−0.5  z1=2,", 3) == {0: 1.0, 2: -0.5, 1: 2.0}


def by_hand(code: ast.AST) -> bool:
    """Whether an expression forms a symbol (``f"z{j}"``, ``"z" + …``) or takes one apart (``int(…[1:])``)."""
    match code:
        case ast.JoinedStr(values=parts):
            texts = [each.value if isinstance(each, ast.Constant) else None for each in parts]
            return any(isinstance(text, str) and STEM.search(text) and after is None for text, after in pairwise(texts))
        case ast.BinOp(op=ast.Add(), left=ast.Constant(value=str(text))):
            return bool(STEM.search(text))
        case ast.Constant(value=str(text)):
            return bool(re.search(r"(?<![A-Za-z])z(%d|\{\}|\(?\[?\\d)", text))
        case ast.Call(func=ast.Name(id="int"), args=[ast.Subscript(slice=ast.Slice(lower=ast.Constant(value=1)))]):
            return True
    return False


def sources(*endings: str) -> Iterator[Path]:
    for room in ("latentlab", "dashboards"):
        yield from (each for each in sorted((ROOT / room).rglob("*")) if each.suffix in endings and each != HOME)


@pytest.mark.parametrize(
    "text",
    ['f"z{j}"', 'f"{run}: z{j} moved"', '"z" + str(j)', '"z%d" % j', '"z{}".format(j)', r're.match(r"z(\d+)", s)',
     "int(name[1:])", "int(str(name)[1:])"],
)  # fmt: skip
def test_a_symbol_formed_by_hand_is_found(text: str) -> None:
    assert any(map(by_hand, ast.walk(ast.parse(text))))


@pytest.mark.parametrize("text", ['f"{xyz}"', 'f"xyz{j}"', 'f"%{{z:.2f}}{j}"', "int(words[1])", '"z3=1.5"', "x[1:]"])
def test_other_texts_are_left_alone(text: str) -> None:
    assert not any(map(by_hand, ast.walk(ast.parse(text))))


def test_no_other_module_forms_a_symbol_or_takes_one_apart() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{code.lineno}"
        for path in sources(".py")
        for code in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(code, ast.expr) and by_hand(code)
    ]
    assert found == []


def test_no_script_forms_a_symbol() -> None:
    scripts = {path: path.read_text("utf-8") for path in sources(".js", ".jinja")}
    assert len(scripts) > 10
    assert [path for path, text in scripts.items() if SCRIPT.search(text) or re.search(r">?\bz\{\{", text)] == []
