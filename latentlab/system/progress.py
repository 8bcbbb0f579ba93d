"""How work that takes a while says how far it is."""

from typing import Protocol


class Progress(Protocol):
    """Called with work done, work to do, and what is worked on."""

    def __call__(self, done: float, total: float, note: str = "") -> None:
        """Say how far it is."""


def silent(done: float, total: float, note: str = "") -> None:
    """Say nothing."""
