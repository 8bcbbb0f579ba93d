"""Public docstrings have numpydoc sections: every parameter by its name, what is returned and raised, an example."""

import inspect
import re

import pytest

import latentlab as ll
from latentlab.system.registry import names


def sections(function: object) -> dict[str, str]:
    """The text of each section of a docstring by its title."""
    parts = re.split(r"^(\w+)\n-+\n", inspect.getdoc(function) or "", flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", names("metrics"))
def test_a_metric_describes_its_parameters(name: str) -> None:
    function = getattr(ll.metrics, name)
    found = sections(function)
    described = re.findall(r"^(\w+) : ", found["Parameters"], flags=re.MULTILINE)
    assert sorted(described) == sorted(inspect.signature(function).parameters)
    assert found["Returns"].startswith("Score\n")
    assert "InputError" in found["Raises"]
    assert found["References"].strip()
    assert ">>> " in found["Examples"]
