"""Frozen, validated configurations, and one line for what is wrong with a record."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from latentlab.errors import InputError


class Frozen(BaseModel):
    """A configuration: immutable, unknown keys are errors, numbers are finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, ser_json_inf_nan="null")

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Itself: hundreds of runs are asked for their configurations again and again, and nobody changes one."""
        return self


def validate(kind: Any, content: Any, where: str, mend: str = "") -> Any:
    """`content` as that kind (a configuration, a dataclass, a type).

    An `InputError` tells the first thing that is wrong with it, and how to fix it where `mend` does.
    """
    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "it"
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        if first["type"] == "missing":
            told = f"{key} is missing{more}"
        elif not first["loc"] and first["type"] == "value_error":
            told = first["msg"].removeprefix("Value error, ")
        elif first["type"] == "extra_forbidden":
            told = f"{key} is not a setting; known: {', '.join(kind.model_fields) or 'none'}"
        else:
            told = f"{key} is {repr(first.get('input'))[:60]}; {first['msg'].lower()}{more}"
        raise InputError(f"{where}: {told[:100]}; {mend}" if mend else f"{where}: {told}"[:200]) from error
