"""The package's front door: every public name resolves, and nothing else does."""

import subprocess
import sys

import pytest

import latentlab
from latentlab.system.registry import names


def test_every_public_name_resolves() -> None:
    assert dir(latentlab) == sorted([*latentlab.__all__, "__version__"])
    for name in latentlab.__all__:
        found = getattr(latentlab, name)
        assert found.__name__.rpartition(".")[2] == name or callable(found)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'tarin'"):
        _ = latentlab.tarin  # type: ignore[attr-defined]


def test_it_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "latentlab", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("latentlab ")


def test_no_file_of_a_registry_shadows_a_public_name() -> None:
    assert {"train", "sweep", "analyze", "score", "compare", "figure", "data", "dashboard"} <= set(names("cli"))
