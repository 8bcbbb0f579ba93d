"""Plain English: what a user reads has none of the habits that make a native reader stop."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

HABITS = re.compile(
    r"(?<!there )(?<!There )\bis no (?!longer\b|more\b)|\banew\b|nothing of which|beside what"
    r"|\bgoes on where\b|\bcrowned\b"
    r"|\bforeign images\b|\b(?:line|row|dot) a (?:run|dimension|class|row|setting)\b|no verb|\bhow to mend\b"
)
SOURCES = sorted([*(ROOT / "latentlab").rglob("*.py"), *(ROOT / "dashboards").rglob("*.py")])
PAGES = sorted([ROOT / "README.md", *(p for p in (ROOT / "docs").rglob("*.md") if "decisions" not in p.parts)])


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """The strings of a Python file, f-strings with their values left out; the text of any other file."""
    if path.suffix != ".py":
        yield 0, re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


@pytest.mark.parametrize("path", [*SOURCES, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_strings_and_pages_are_plain(path: Path) -> None:
    habits = [(line, found[0]) for line, text in texts(path) if (found := HABITS.search(" ".join(text.split())))]
    assert habits == []


@pytest.mark.parametrize("text", ["x is no run", "made anew", "a line a run", "foreign images", "it is no number"])
def test_a_habit_is_found(text: str) -> None:
    assert HABITS.search(text)
    assert not HABITS.search("there is no run; it is no longer there")


def test_terms_of_the_glossary_stand_in_alphabetical_order_and_once() -> None:
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs/glossary.md").read_text("utf-8"), flags=re.MULTILINE)[1:]
    terms = [re.sub(r"[^a-z ]", "", row.lower().replace("β", "beta")) for row in rows]
    assert len(terms) > 30
    assert terms == sorted(set(terms))
