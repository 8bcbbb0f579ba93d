"""Numbers as every room writes them."""

from __future__ import annotations


def percent(share: float, digits: int = 0) -> str:
    """A share in per cent, with a space before the sign as the SI has it.

    >>> percent(0.42), percent(0.0123, 1)
    ('42 %', '1.2 %')
    """
    return f"{100 * share:.{digits}f} %"
