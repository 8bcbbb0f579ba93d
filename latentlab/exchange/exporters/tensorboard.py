"""Histories as TensorBoard reads them: written from ``history.jsonl``, during a training or after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from latentlab.codes.symbols import symbol
from latentlab.errors import InputError
from latentlab.exchange.exporters._needs import folder, need
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.system.files import publish

TAKES = "runs"
FILE = "events.out.tfevents.0.latentlab"


def write(what: Run | Study, out: Path) -> Path:
    """A folder for ``tensorboard --logdir``: a folder per run, with every logged number by step.

    One number per dimension, such as the rate, gets one tag per dimension. Written again it replaces what it wrote, so
    that a
    training can be followed. Steps are those of the history; it has no times.
    """
    records = need("tensorboard.summary.writer.record_writer", "latentlab[tensorboard]")
    runs = [what] if isinstance(what, Run) else list(what)
    histories = {run.name: run.history() for run in runs}
    if not any(histories.values()):
        raise InputError(f"{what.path} has no history: nothing was trained here; train it, or name another run")
    with folder(out):
        for name, history in histories.items():
            with publish(out / name / FILE) as temporary, temporary.open("wb") as file:
                writer = records.RecordWriter(file)
                for event in _events(history):
                    writer.write(event)
                writer.flush()
    return out


def _events(history: list[dict[str, Any]]) -> Iterator[bytes]:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    yield Event(wall_time=0, file_version="brain.Event:2").SerializeToString()
    for line in history:
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in _scalars(line)]
        if values:
            yield Event(wall_time=0, step=line["step"], summary=Summary(value=values)).SerializeToString()


def _scalars(line: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for key, value in line.items():
        if isinstance(value, list):
            yield from ((f"{key}/{symbol(j)}", float(part)) for j, part in enumerate(value))
        elif isinstance(value, int | float) and key != "step":
            yield key, float(value)
