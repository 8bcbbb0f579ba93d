"""Whether hundreds of values are about to be computed: then it pays to load numba and what it compiled."""

from __future__ import annotations


class _Switch:
    many = False


switch = _Switch()


def expect_many() -> None:
    """Count and compare by compiled kernels from now on: the same values, for who is about to compute hundreds."""
    switch.many = True
