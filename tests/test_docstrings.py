"""The docstring of all that ``import latentlab as ll`` gives has sections, and they name what the code has."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from conftest import ROOT

import latentlab as ll
from latentlab.analysis.probe.measure import Curve
from latentlab.codes.projections import Projection
from latentlab.models.live import Live
from latentlab.models.wrapped import Wrapped
from latentlab.system.registry import load, names

ROOMS = ("data", "metrics", "models", "objectives")
ELSEWHERE = ("latentlab.figures", "latentlab.data.kinds")  # described by their modules, and by their attributes
ERRORS = {"InputError", "MissingError"}


def sections(described: object) -> dict[str, str]:
    """The text of each section of a docstring by its title."""
    parts = re.split(r"^(\w+)\n-+\n", inspect.getdoc(described) or "", flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def entries(text: str) -> set[str]:
    """The names at the left margin of a section, ``a, b : type`` being two."""
    heads = re.findall(r"^[*\w][^\n]*", text, flags=re.MULTILINE)
    return {name.strip().lstrip("*") for head in heads for name in head.partition(" : ")[0].split(",")}


def results() -> Iterator[type]:
    """Every class of results; the modules that have one are imported first."""
    for file in sorted((ROOT / "latentlab").rglob("*.py")):
        for name in re.findall(r"^class ([A-Z]\w*)\((?:Result|Record)\b", file.read_text("utf-8"), flags=re.MULTILINE):
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            yield getattr(import_module(module), name)


def public() -> dict[str, Any]:
    """Functions and classes by their path from ``ll``, results and objectives included, and their methods."""
    found = {f"ll.{name}": getattr(ll, name) for name in ll.__all__}
    for room in ROOMS:
        module = getattr(ll, room)
        found |= {f"ll.{room}.{name}": getattr(module, name) for name in getattr(module, "__all__", dir(module))}
    objectives = [load("training/objectives", name).OBJECTIVE for name in names("training/objectives")]
    found |= {each.__qualname__: each for each in [*objectives, *results(), Curve, Live, Projection, Wrapped]}
    ours = {path: each for path, each in found.items() if callable(each) and is_ours(each)}
    methods = {f"{path}.{name}": method for path, each in ours.items() for name, method in methods_of(each).items()}
    return ours | methods


def is_ours(each: Any) -> bool:
    home = str(getattr(each, "__module__", ""))
    return home.startswith("latentlab") and not home.startswith(ELSEWHERE)


def methods_of(kind: Any) -> dict[str, Callable[..., Any]]:
    """The public methods that a class defines itself."""
    if not inspect.isclass(kind):
        return {}
    own = {name: getattr(each, "__func__", each) for name, each in vars(kind).items() if not name.startswith("_")}
    return {name: each for name, each in own.items() if inspect.isfunction(each) and is_ours(each)}


def parameters(described: Any) -> set[str]:
    """What it takes, or, where it is a protocol, has."""
    if getattr(described, "_is_protocol", False):
        return set(described.__annotations__)
    return set(inspect.signature(described).parameters) - {"self", "cls"} - inherited(described)


def inherited(described: Any) -> set[str]:
    """The names of a constructor that a class without fields has from `object`."""
    return {"args", "kwargs"} if inspect.isclass(described) and described.__init__ is object.__init__ else set()


def raised(described: Any) -> set[str]:
    """The errors of a wrong input that a function raises in its own body."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(described))))
    calls = (node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise))
    return {call.func.id for call in calls if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)} & ERRORS


PUBLIC = public()


@pytest.mark.parametrize("path", sorted(PUBLIC))
def test_a_public_docstring_describes_its_parameters(path: str) -> None:
    described = PUBLIC[path]
    held = sections(described)
    named = entries(held.get("Parameters", "")) | entries(held.get("Attributes", ""))
    wanted = parameters(described)
    assert wanted <= named, f"{path} says nothing of {sorted(wanted - named)}"
    assert inspect.isclass(described) or named <= wanted, f"{path} does not take {sorted(named - wanted)}"


@pytest.mark.parametrize("path", sorted(path for path, each in PUBLIC.items() if not inspect.isclass(each)))
def test_a_public_function_says_what_it_returns_and_raises(path: str) -> None:
    described = PUBLIC[path]
    held = sections(described)
    gives = str(inspect.signature(described).return_annotation)
    assert ("Returns" in held) == (gives != "None"), f"{path} returns {gives}"
    missing = raised(described) - entries(held.get("Raises", ""))
    assert not missing, f"{path} raises {sorted(missing)}"


@pytest.mark.parametrize("name", [name for name in ll.__all__ if f"ll.{name}" in PUBLIC])
def test_a_public_name_is_shown_by_an_example(name: str) -> None:
    assert ">>> " in sections(PUBLIC[f"ll.{name}"]).get("Examples", ""), name  # tests/docs/test_docs.py runs it


def test_functions_methods_results_and_objectives_are_among_them() -> None:
    assert {"ll.train", "ll.Codes.take", "ll.data.load", "ll.metrics.mig", "BetaVAE.terms", "Effects"} <= PUBLIC.keys()
    assert set(ll.__all__) - {*ROOMS, "figures", "profiles"} <= {path.removeprefix("ll.") for path in PUBLIC}


def test_names_are_read_off_sections_and_code() -> None:
    assert entries("a, b : int\n    Both: of them.\n**more\n    Others.\n") == {"a", "b", "more"}
    assert raised(ll.data.check) == set()
    assert raised(ll.live) == {"InputError"}
    assert parameters(ll.models.Point) == {"mean"}
