"""What a training wrote as it went: the lines of its history, and the step that its weights were saved at."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Any

from latentlab.errors import InputError
from latentlab.system.limits import HEADER, HISTORY, LINE, LINES, check_containers
from latentlab.system.regular import open_regular

DECODER = json.JSONDecoder()  # `json.loads` first guesses the encoding, which takes as long as the decoding
NESTS = frozenset({list, dict})


def read_history(path: Path) -> list[dict[str, Any]]:
    """The lines of a ``history.jsonl``; a torn last line is left out, any other bad line is an error."""
    if path.stat().st_size > HISTORY:
        raise InputError(f"{path} has {path.stat().st_size:,} bytes; at most {HISTORY:,} are read")
    found: list[dict[str, Any]] = []
    number = 0
    with open_regular(path) as file:
        while line := file.readline(LINE + 1):
            number += 1
            if number > LINES or len(line) > LINE:
                raise InputError(f"{path} has more than {LINES:,} lines, or one of more than {LINE:,} bytes")
            entry = _entry(line)
            if entry is not None:
                found.append(entry)
            elif line.endswith(b"\n") and line != b"\n":
                raise InputError(
                    f"{path} line {number} is not a JSON entry of a step; restore the file or retrain the run"
                )
    return found


def last_entry(path: Path) -> dict[str, Any]:
    """The last whole line of a ``history.jsonl``, read off the file's end; nothing where it has none."""
    with open_regular(path) as file:
        file.seek(max(0, path.stat().st_size - 2 * LINE))
        lines = file.read(2 * LINE).split(b"\n")
    whole = [line for line in lines[-3:] if line]
    for line in reversed(whole):
        entry = _entry(line)
        if entry is not None:
            return entry
        if line is not lines[-1]:
            raise InputError(f"{path} ends in a line that is not a JSON entry of a step; restore it or retrain the run")
    return {}


def first_entry(path: Path) -> dict[str, Any]:
    """The first line of a ``history.jsonl``; nothing where it has none that can be read."""
    with open_regular(path) as file:
        return _entry(file.readline(LINE)) or {}


def _entry(line: bytes) -> dict[str, Any] | None:
    """A logged step: numbers, texts and lists of numbers by name, the number of the step among them."""
    try:
        found = DECODER.decode(line.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or type(found.get("step")) is not int:
        return None
    for value in found.values():
        if isinstance(value, dict) or (isinstance(value, list) and not NESTS.isdisjoint(map(type, value))):
            return None
    return found


def parse_step(text: str, path: Path) -> int:
    """The step that a file of weights says it was made at; an `InputError` unless it is a number of at most ten digits.

    >>> parse_step("20000", Path("model.safetensors"))
    20000
    """
    if not re.fullmatch(r"[0-9]{1,10}", text):
        raise InputError(f"{path} does not record its step; restore it or retrain the run")
    return int(text)


def safetensors_metadata(path: Path) -> dict[str, str]:
    """The metadata in a safetensors header, read without torch and without the tensors."""
    size = path.stat().st_size
    with open_regular(path) as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else size
        if length > min(size - 8, HEADER):
            raise InputError(
                f"{path} is truncated or not a safetensors file ({size:,} bytes); restore it or retrain the run"
            )
        try:
            header = file.read(length)
            check_containers(header)
            return {str(key): str(value) for key, value in json.loads(header)["__metadata__"].items()}
        except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
            raise InputError(f"{path} is not a safetensors file of a run; restore it or retrain the run") from error
