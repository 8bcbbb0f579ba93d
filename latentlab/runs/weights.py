"""The weights of a run: whether it has a model, and the hash that codes and decodings record as theirs."""

from __future__ import annotations

from latentlab.errors import InputError, MissingError
from latentlab.runs.run import Run
from latentlab.system.files import sha256
from latentlab.system.regular import open_regular


def check_model(run: Run) -> None:
    """Raise an `InputError` where the run holds codes without a model."""
    if not run.config.has_model:
        raise InputError(
            f"{str(run.path)[-60:]} holds imported codes without a model, so nothing can be encoded or decoded; "
            "import the model itself: `latentlab import --help`"
        )


def has_weights(run: Run) -> bool:
    """Whether the weights are there.

    A copy without them keeps a file that says how far they were trained: a header, which no numbers follow.
    """
    if not run.model_path.is_file():
        return False
    with open_regular(run.model_path) as file:
        start = file.read(8)
    return len(start) == 8 and run.model_path.stat().st_size > 8 + int.from_bytes(start, "little")


def model_hash(run: Run) -> str:
    """The SHA-256 of a run's weights: what codes and decodings record as their model."""
    check_model(run)
    if not run.model_path.is_file():
        raise MissingError(f"{run.path} has no model.safetensors; train it first: `latentlab train --out {run.path} …`")
    return sha256(run.model_path)
