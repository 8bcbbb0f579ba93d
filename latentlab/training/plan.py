"""What a study consists of: an objective and lists of its settings, crossed with latent sizes and seeds."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import Field

from latentlab.data import Code, Dataset, read_spec
from latentlab.errors import InputError, MissingError
from latentlab.runs.config import RunConfig, brief
from latentlab.runs.folders import NAME
from latentlab.system.limits import DOTS, MEMBERS, PLAN
from latentlab.system.regular import check_regular, read_bytes
from latentlab.system.validation import Frozen, validate
from latentlab.training.configure import configure

BETAS: tuple[str | float, ...] = ("ae", 1, 4, 16)
Value = float | str
Values = Value | Sequence[Value]


class StudyPlan(Frozen):
    """What a study file (TOML) may say: the data, what varies, and options of `configure` that do not.

    ``beta`` and every entry of ``settings`` are a value or a list of them; lists are crossed.
    """

    data: str
    objective: str = "beta-vae"
    beta: list[Value] | None = None
    settings: dict[str, Value | list[Value]] = Field(default_factory=dict)
    seeds: int = 1
    latent_dim: int | list[int] = 10
    network: str | None = None
    likelihood: str | None = None
    sigma: float | None = None
    steps: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    decay: float | None = None
    split: str | None = None
    condition: str | list[str] | None = None
    condition_encoder: bool | None = None
    correlate: str | None = None
    precision: str | None = None
    threads: int | None = None
    device: str | None = None
    log_every: int | None = None
    checkpoint_every: int | None = None

    @property
    def options(self) -> dict[str, Any]:
        """What `latentlab.training.sweep.sweep` is called with, the data apart."""
        return self.model_dump(exclude={"data"}, exclude_none=True)


def read_plan(path: Path) -> StudyPlan:
    """The plan in a study file."""
    check_regular(path)
    if not path.is_file():
        raise MissingError(f"{path} does not exist; expected a study file (TOML with data, beta, seeds)")
    written = read_bytes(path, PLAN)
    if written.count(b".") > DOTS:
        raise InputError(f"{path} has {written.count(b'.'):,} dots; expected at most {DOTS:,} in numbers and keys")
    try:
        content = tomllib.loads(written.decode())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not valid TOML: {error}"[:200]) from error
    plan: StudyPlan = validate(StudyPlan, content, str(path))
    if isinstance(read_spec(plan.data), Code):
        raise InputError(f"{path}: data is {plan.data}, code, which a study file cannot run; use --data and options")
    if not content.keys() & {"beta", "objective", "settings"}:
        raise InputError(f'{path}: beta is missing; expected beta = ["ae", 1, 4], or an objective and its settings')
    return plan


def members(
    data: Dataset,
    beta: Sequence[Value] | None = None,
    seeds: int = 1,
    latent_dim: int | Sequence[int] = 10,
    *,
    objective: str = "beta-vae",
    settings: Mapping[str, Values] | None = None,
    **options: Any,
) -> dict[str, RunConfig]:
    """The resolved configuration of every member, by the name of its folder, in the order of the plan.

    >>> from latentlab.data import load
    >>> list(members(load("digits"), objective="dip-vae-ii", settings={"lambda_od": [1, 10]}, seeds=1))
    ['dip-vae-ii-lambda_od1-seed0', 'dip-vae-ii-lambda_od10-seed0']
    """
    sizes = [latent_dim] if isinstance(latent_dim, int) else list(latent_dim)
    if not 1 <= seeds <= 1000:
        raise InputError(f"seeds is {seeds}; expected 1 to 1000")
    lists = [beta, *(settings or {}).values()]
    count = math.prod(len(each) for each in lists if isinstance(each, list | tuple)) * len(sizes) * seeds
    if count > MEMBERS:
        raise InputError(f"the lists give {count:,} runs; expected at most {MEMBERS:,}: split the sweep")
    options = {"threads": 1, **{key: value for key, value in options.items() if value is not None}}
    found: dict[str, RunConfig] = {}
    for (name, chosen, values), size, seed in product(_points(objective, beta, settings or {}), sizes, range(seeds)):
        folder = f"{name}-d{size}-seed{seed}" if len(sizes) > 1 else f"{name}-seed{seed}"
        if not NAME.fullmatch(folder):
            raise InputError(f"a run would be called {folder[:80]}; expected at most 64 of A-Z a-z 0-9 . _ -")
        found[folder] = configure(data, objective=chosen, settings=values, seed=seed, latent_dim=size, **options)
    if not found:
        raise InputError("a list of values or of latent sizes is empty; expected at least one, as in --beta ae,1,4")
    return found


def _points(
    objective: str, beta: Sequence[Value] | None, settings: Mapping[str, Values]
) -> Iterator[tuple[str, str, dict[str, Value]]]:
    """Name, objective and settings of each point that the lists span."""
    objective = objective.replace("_", "-")
    lists: dict[str, Sequence[Value]] = {
        key: [value] if isinstance(value, str | int | float) else value for key, value in settings.items()
    }
    if beta is not None and "beta" in lists:
        raise InputError("β was given twice, as beta and as a setting; leave one out")
    if "beta" not in lists and (beta is not None or objective == "beta-vae"):
        lists = {"beta": BETAS if beta is None else beta, **lists}
    for values in product(*lists.values()):
        chosen = {key: _number(key, value) for key, value in zip(lists, values, strict=True)}
        if chosen.get("beta") == "ae":
            yield "ae", "ae", {}
        else:
            words = [f"{key}{_plain(value)}" for key, value in chosen.items()]
            named = [] if objective == "beta-vae" and words else [objective]
            yield "-".join(named + words), objective, chosen


def _number(key: str, value: Value) -> Value:
    text = str(value).strip()
    try:
        return float(text)
    except ValueError:
        if key == "beta" and text.lower() != "ae":
            raise InputError(f"β is {value!r}; expected a number of at least 0, or ae, as in --beta ae,1,4") from None
        return text.lower()


def _plain(value: Value) -> str:
    """A value as a folder's name has it: 4, 0.25, 1e06, -weighted."""
    return brief(value).replace("+", "") if isinstance(value, float) else f"-{value}"
