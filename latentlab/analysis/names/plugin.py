"""Names proposed by a Python file of the user's own, ``FILE.py:NAME``, as by a vision-language model.

NAME takes samples with low and samples with high codes of one dimension, at most `SHOWN` of each, and returns proposals
``(name, word for low, word for high, values)``; ``values(samples)`` gives one number for each of k samples. They are
scored as any other attribute is. The file is asked about rotated dimensions as well: an attribute that was made for its
dimension fits a rotated one just as well, and so earns nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from latentlab.analysis.names.detection import Ints
from latentlab.analysis.names.measure import Propose
from latentlab.data.attributes import Attribute
from latentlab.data.dataset import Samples
from latentlab.errors import InputError
from latentlab.runs.notes import LONGEST_NAME
from latentlab.system import user_code

SHOWN = 16
EXPECTED = "(name, word for low, word for high, function of samples)"


def proposals(plugin: str, samples: Samples) -> Propose:
    """What asks the user's own code for names, of dimensions of these samples (n, *shape)."""
    path, name = user_code.split(plugin, "source of names", "my_names.py:propose")
    asked = user_code.look_up(path, name)
    if not callable(asked):
        raise InputError(f"{plugin} is a {type(asked).__name__}; expected a function of low and high samples")

    def called(function: Callable[..., Any], *given: Any) -> Any:
        try:
            with user_code.neighbours(path):
                return function(*given)
        except InputError:
            raise
        except (Exception, SystemExit) as error:  # the user's own code may raise anything, or end the program
            raise user_code.failure(plugin, error) from error

    def propose(low: Ints, high: Ints) -> list[Attribute]:
        made = called(lambda *given: list(asked(*given)), samples[low[:SHOWN]], samples[high[:SHOWN]])
        return [_attribute(each, samples, plugin, called) for each in made]

    return propose


def _attribute(proposal: Any, samples: Samples, plugin: str, called: Callable[..., Any]) -> Attribute:
    if not isinstance(proposal, tuple | list) or len(proposal) != 4 or not callable(proposal[3]):
        raise InputError(f"{plugin} proposed {proposal!r:.60}; expected {EXPECTED}")
    *texts, values = proposal
    name, low, high = (" ".join(str(text).split())[: LONGEST_NAME // 2] for text in texts)
    measured = called(lambda: np.asarray(values(samples), np.float64))
    if measured.shape != (len(samples),):
        raise InputError(f"{plugin}: the values of {name!r} are {measured.shape}; expected ({len(samples)},)")
    return Attribute(name, measured, low, high, source=plugin)
