"""The house: imports point downward, torch stays in its rooms, and what is heavy stays out of the light ways in.

A room is a folder of ``latentlab/``; a file's room, and within ``analysis/`` its name, say what it may import.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from conftest import ROOT

# From the ground up, `<` between floors. A file imports from its own room and from lower floors.
ORDER = """
    errors results < system < data < metrics < codes < runs < models serving < training analysis
    < figures exchange < browser < reports < cli < __main__ dashboards
"""
FLOOR = {room: floor for floor, rooms in enumerate(ORDER.split("<")) for room in rooms.split()}
TORCH_ROOMS = {"models", "training", "exchange", "browser", "cli", "__main__", "dashboards"}
REGISTRIES = {  # folders whose public files are found by their names
    f"latentlab.{folder}"
    for folder in (
        "data",
        "data.attributes",
        "data.kinds",
        "metrics",
        "figures",
        "models.networks",
        "training.objectives",
    )
}
TORCH_FILES = {"analyze", "stage", "compute"}  # within analysis/: compute.py, and compute_PART.py beside it
TORCH_FOLDERS = ("latentlab.reports.site",)  # a published site has decoders, which are read off models


def source_files() -> list[Path]:
    return sorted([*(ROOT / "latentlab").rglob("*.py"), *(ROOT / "dashboards").rglob("*.py")])


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """``latentlab.metrics.mig`` is in ``metrics``, ``dashboards.app`` in ``dashboards``; the package itself in none."""
    parts = module.split(".")
    return parts[0] if parts[0] != "latentlab" else parts[1] if len(parts) > 1 else ""


def may_reach_torch(module: str) -> bool:
    room, file = room_of(module), module.rpartition(".")[2]
    return (
        room in TORCH_ROOMS
        or module.startswith(TORCH_FOLDERS)
        or (room == "analysis" and file.partition("_")[0] in TORCH_FILES)
    )


@cache
def imports(path: Path) -> tuple[tuple[str, bool], ...]:
    """Every module that a file imports, and whether it does so when it is itself imported; no types-only imports."""
    return tuple(_imports(ast.parse(path.read_text(encoding="utf-8")), at_import=True))


def _imports(node: ast.AST, at_import: bool) -> Iterator[tuple[str, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            yield from ((alias.name, at_import) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from ((_target(child.module or "", alias.name), at_import) for alias in child.names)
        inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _imports(child, at_import and not inside)


@cache
def modules() -> dict[str, Path]:
    return {name_of(path): path for path in source_files()}


def _target(module: str, name: str) -> str:
    """What ``from module import name`` imports: a module of ours where `name` is one."""
    return f"{module}.{name}" if f"{module}.{name}" in modules() else module


def ours(path: Path, *, at_import: bool) -> set[str]:
    """The modules of ours that a file imports (at import only, or ever)."""
    return {name for name, early in imports(path) if name.split(".")[0] == "latentlab" and (early or not at_import)} - {
        "latentlab"
    }


def test_every_room_says_what_does_not_belong_there() -> None:
    rooms = sorted((ROOT / "latentlab").glob("*/__init__.py"))
    said = {path.parent.name: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "" for path in rooms}
    assert len(said) > 10
    assert [room for room, text in said.items() if "not belong" not in " ".join(text.split())] == []


def test_every_room_has_a_floor_and_says_what_belongs_in_it() -> None:
    rooms = {room_of(module) for module in modules()} - {""}
    assert rooms == set(FLOOR)
    for folder in sorted({path.parent for path in source_files() if path.is_relative_to(ROOT / "latentlab")}):
        assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))), folder


def test_the_package_has_few_entries() -> None:
    entries = [path for path in (ROOT / "latentlab").iterdir() if path.is_file() or any(path.rglob("*.py"))]
    assert len(entries) <= 19, sorted(path.name for path in entries)


@pytest.mark.parametrize("path", source_files(), ids=name_of)
def test_imports_point_downward(path: Path) -> None:
    here = room_of(name_of(path))
    if not here:
        assert not ours(path, at_import=False)
        return
    for module in ours(path, at_import=False):
        there = room_of(module)
        assert there == here or FLOOR[there] < FLOOR[here], f"{name_of(path)} imports {module}"


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    graph = {name: ours(path, at_import=True) for name, path in modules().items()}
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " → ".join([*way, module])
        if module not in done:
            for target in sorted(graph.get(module, ())):
                # A package that re-exports its own modules is imported by them: Python loads it first.
                if not module.startswith(f"{target}.") and not target.startswith(f"{module}."):
                    visit(target, (*way, module))
            done.add(module)

    for module in graph:
        visit(module, ())


@cache
def reaches_torch(module: str) -> bool:
    seen: set[str] = set()

    def visit(name: str) -> bool:
        if name in seen or name not in modules():
            return False
        seen.add(name)
        if any(each.split(".")[0] == "torch" or each == "safetensors.torch" for each, _ in imports(modules()[name])):
            return True
        return any(visit(target) for target in ours(modules()[name], at_import=False))

    return visit(module)


def test_torch_stays_in_its_rooms() -> None:
    light = [name for name in modules() if name != "latentlab" and not may_reach_torch(name)]
    assert len(light) > 100
    assert [name for name in light if reaches_torch(name)] == []
    assert reaches_torch("latentlab.training.train")


def test_nothing_has_its_only_importer_in_another_room() -> None:
    """A module that a single module of another room uses belongs there. A verb or a page may be the only one that calls
    what it shows, and what a registry lists is found by its name."""
    importers: dict[str, set[str]] = {}
    for name, path in modules().items():
        for target in ours(path, at_import=False) - {name}:
            importers.setdefault(target, set()).add(name)
    lonely = [
        f"{name} (imported by {min(users)})"
        for name, users in sorted(importers.items())
        if len(users) == 1 and room_of(min(users)) not in {room_of(name), "cli", "dashboards"}
        if not (name.rpartition(".")[0] in REGISTRIES and not name.rpartition(".")[2].startswith("_"))
    ]
    assert lonely == []


@pytest.mark.parametrize("path", source_files(), ids=name_of)
def test_drawing_and_serving_have_their_places(path: Path) -> None:
    room, roots = room_of(name_of(path)), {name.split(".")[0] for name, _ in imports(path)}
    if room != "figures":
        assert not roots & {"plotly", "matplotlib"}
    if room not in ("dashboards", "serving"):
        assert "streamlit" not in roots
    if room == "dashboards":
        own = {each.stem for each in (ROOT / "dashboards").glob("*.py")}  # what its pages share
        assert roots <= {"streamlit", "latentlab", "__future__"} | own | set(sys.stdlib_module_names)


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has after running some code."""
    report = "import sys; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


HEAVY = {"torch", "numpy", "pandas", "scipy", "sklearn", "matplotlib", "plotly", "umap", "numba", "h5py", "streamlit"}


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        ("import latentlab; dir(latentlab)", HEAVY),
        ("from latentlab.cli import run; assert run(['--help']) == 0", HEAVY),
        ("from latentlab.cli import run; assert run(['sweep', '--help']) == 0", HEAVY),
        ("import latentlab.runs.study, latentlab.runs.config", HEAVY),
        (
            "import latentlab.analysis.analyze, latentlab.runs.comparison, latentlab.analysis.score.scoring, "
            "latentlab.codes.h5ad",
            HEAVY - {"numpy", "h5py"},
        ),
    ],
    ids=["package", "help", "help of a verb", "runs", "analysis"],
)
def test_what_is_heavy_is_loaded_when_it_is_used(code: str, heavy: set[str]) -> None:
    assert not loaded_by(code) & heavy


def test_samples_are_pictures_in_few_places() -> None:
    """What samples are is said by their form: pixels of 8 bits are named where pictures are made, and little else."""
    outside = [path for path in source_files() if room_of(name_of(path)) != "data"]
    named = [path.name for path in outside if re.search("image_shape|uint8", path.read_text(encoding="utf-8"))]
    assert len(named) <= 8, named
