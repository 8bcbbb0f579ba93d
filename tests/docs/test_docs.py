"""Documents say what is so: examples run, and the specification of the codes is that of the files."""

import doctest
import importlib
import json
import re
from pathlib import Path
from shutil import rmtree

import h5py
import pytest
from conftest import ROOT

from latentlab.codes.h5ad import FORMAT, RESERVED

MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted((ROOT / "latentlab").rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]
SPECIFICATION = (ROOT / "docs" / "codes-format.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_learning: None
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in Path("/tmp").glob("latentlab-doctest*/"):
        rmtree(folder)
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert found.attempted > 0
    assert found.failed == 0


def section(title: str) -> str:
    return re.split(r"^## ", SPECIFICATION, flags=re.MULTILINE)[
        [part.splitlines()[0] for part in re.split(r"^## ", SPECIFICATION, flags=re.MULTILINE)].index(title)
    ]


def named_in(title: str) -> set[str]:
    """The names in the first column of a section's table."""
    rows = [line.split("|")[1] for line in section(title).splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


@pytest.mark.parametrize("name", ["codes-v1.h5ad", "codes-v1-grid.h5ad"])
def test_the_codes_specification_is_that_of_the_files(name: str) -> None:
    with h5py.File(ROOT / "tests" / "archive" / name) as file:
        described = json.loads(file["uns/latentlab"][()])
        factors = {factor["column"] for factor in described["factors"]}
        elements = {*file, *(f"layers/{key}" for key in file["layers"]), *(f"uns/{key}" for key in file["uns"])}
        assert elements <= named_in("The file")
        assert set(file["obs"]) - factors <= named_in("`obs`: rows")
        assert set(file["var"]) - {"_index"} <= named_in("`var`: latent dimensions")
        assert set(described) == {"format", "factors", "grid", "provenance"}
        for element in elements:
            kind, version = (file[element].attrs[f"encoding-{key}"] for key in ("type", "version"))
            row = next(
                line for line in SPECIFICATION.splitlines() if re.search(rf"^\|.*`{element}`.*\|.*\|.*\|$", line)
            )
            assert f"| {kind} {version}" in row, element


def test_what_is_specified_is_written_somewhere() -> None:
    with h5py.File(ROOT / "tests" / "archive" / "codes-v1.h5ad") as file:
        assert named_in("`obs`: rows") <= set(file["obs"])
        assert named_in("`var`: latent dimensions") <= set(file["var"])
    assert named_in("`obs`: rows") == RESERVED
    assert f"# The codes format, version {FORMAT}\n" in SPECIFICATION
    assert f"- `format`: {FORMAT}." in SPECIFICATION


def test_names_that_pages_give_are_public() -> None:
    import latentlab as ll

    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    named = {found for page in pages for found in re.findall(r"\bll\.([a-z]\w*)", page.read_text(encoding="utf-8"))}
    assert "wrap" in named
    assert sorted(name for name in named if not hasattr(ll, name)) == []


def test_paths_in_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_verbs_in_the_readme_exist() -> None:
    from latentlab.system.registry import names

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    verbs = set(re.findall(r"^\s*(?:\$ )?latentlab ([a-z]+)", text, flags=re.MULTILINE))
    assert verbs <= {name.rstrip("_") for name in names("cli")}


@pytest.mark.parametrize("page", ["SECURITY.md", "docs/reliability.md"])
def test_the_tests_that_hold_a_promise_are_there(page: str) -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)", (ROOT / page).read_text(encoding="utf-8")))
    assert len(named) > 5
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []


def test_pages_import_the_public_package_only() -> None:
    """An extension is a file of the package and may import its room; everything else needs `ll` alone."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "docs").rglob("*.ipynb")]
    inner = {
        page.name
        for page in pages
        if re.search(r"(from|import) latentlab\.", page.read_text(encoding="utf-8")) and "decisions" not in page.parts
    }
    assert inner == {"extending.md"}
