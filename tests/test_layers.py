"""The house: imports point downward, the two halves keep apart, and what is heavy stays out of the light ways in."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from conftest import ROOT

# From the ground up. A module may import its own layer and those below; within a layer nothing goes in a circle.
LAYERS = {
    "ground": """
        limits regular quarantine confinement frames chunks precision
        errors registry files ownfile handing config hdf5 memory surroundings labels resources processes cluster shards
        score data codes codes_writer decodings projections runs notes evidence supports effects
    """,
    "torch": """
        models objectives configuring batches noise parallel history state environment training ensembles plans
        sweeps encoding decoding checkpoints importers importing filling loading likelihood quadrature paths
        judging sensitivity
    """,
    "numpy": """
        metrics profiles material scoring uncertainty generation directions reading leakage alignment
        dimensions pictures tables packed dialects textual columns originals selections matching health checkup support
        features debiasing outliers probes explaining scorecard convergence
    """,
    "joint": """
        comparison agreement methods references exporters exporting analysis leaking figures serving thumbnails latex
        comparability report caveats commands bundle examining survey
        waiting
    """,
    "top": "cli __main__ dashboards",
}
HOME = {module: layer for layer, modules in LAYERS.items() for module in modules.split()}
BELOW = {
    "ground": {"ground"},
    "torch": {"ground", "torch"},
    "numpy": {"ground", "numpy"},
    "joint": {"ground", "torch", "numpy", "joint"},
    "top": set(LAYERS),
}
NEEDS_TORCH = {
    "analysis",
    "exporters",
    "leaking",
    "examining",
    "survey",
}  # what joins the halves; everything else outside the torch half runs without


def source_files() -> list[Path]:
    return sorted([*(ROOT / "latentlab").rglob("*.py"), *(ROOT / "dashboards").rglob("*.py")])


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(module: str) -> str:
    """``latentlab.metrics.mig`` as ``metrics``, ``dashboards.app`` as ``dashboards``."""
    parts = module.split(".")
    return parts[0] if parts[0] != "latentlab" else parts[1] if len(parts) > 1 else "latentlab"


@cache
def imports(path: Path) -> tuple[tuple[str, bool], ...]:
    """Every module that a file imports, and whether it does so when it is itself imported; no types-only imports."""
    return tuple(_found(ast.parse(path.read_text(encoding="utf-8")), at_import=True))


def _found(node: ast.AST, at_import: bool) -> Iterator[tuple[str, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            yield from ((alias.name, at_import) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from ((_target(child.module or "", alias.name), at_import) for alias in child.names)
        inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _found(child, at_import and not inside)


def _target(module: str, name: str) -> str:
    """What ``from module import name`` imports: a module of ours where `name` is one."""
    known = {name_of(path) for path in source_files()}
    return f"{module}.{name}" if f"{module}.{name}" in known else module


def ours(path: Path, *, at_import: bool) -> set[str]:
    """The modules of ours that a file imports (at import only, or ever)."""
    return {name for name, early in imports(path) if name.split(".")[0] == "latentlab" and (early or not at_import)} - {
        "latentlab"
    }


def test_every_module_has_a_layer() -> None:
    missing = {part_of(name_of(path)) for path in source_files()} - HOME.keys() - {"latentlab"}
    assert not missing, f"give {missing} a layer in {Path(__file__).name}"


@pytest.mark.parametrize("path", source_files(), ids=name_of)
def test_imports_point_downward(path: Path) -> None:
    here = part_of(name_of(path))
    if here == "latentlab":
        assert not ours(path, at_import=False)
        return
    for module in ours(path, at_import=False):
        there = part_of(module)
        assert HOME.get(there, "ground") in BELOW[HOME.get(here, "top")], f"{here} imports {there}"


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    graph = {name_of(path): ours(path, at_import=True) for path in source_files()}
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


def test_only_the_torch_half_and_the_verb_that_joins_them_reach_torch() -> None:
    paths = {name_of(path): path for path in source_files()}

    def reaches(module: str, seen: set[str]) -> bool:
        if module in seen or module not in paths:
            return False
        seen.add(module)
        if any(name.split(".")[0] == "torch" or name == "safetensors.torch" for name, _ in imports(paths[module])):
            return True
        return any(reaches(target, seen) for target in ours(paths[module], at_import=False))

    light = [
        module
        for module in paths
        if HOME.get(part_of(module)) in ("ground", "numpy", "joint") and part_of(module) not in NEEDS_TORCH
    ]
    assert len(light) > 30
    assert [module for module in light if reaches(module, set())] == []
    assert reaches("latentlab.training", set())


@pytest.mark.parametrize("path", source_files(), ids=name_of)
def test_drawing_and_serving_have_their_places(path: Path) -> None:
    part, roots = part_of(name_of(path)), {name.split(".")[0] for name, _ in imports(path)}
    if part != "figures":
        assert not roots & {"plotly", "matplotlib"}
    if part not in ("dashboards", "serving"):
        assert "streamlit" not in roots
    if part == "dashboards":
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
        ("import latentlab.runs, latentlab.config", HEAVY),
        (
            "import latentlab.analysis, latentlab.comparison, latentlab.scoring, latentlab.codes",
            HEAVY - {"numpy", "h5py"},
        ),
    ],
    ids=["package", "help", "help of a verb", "runs", "analysis"],
)
def test_what_is_heavy_is_loaded_when_it_is_used(code: str, heavy: set[str]) -> None:
    assert not loaded_by(code) & heavy
