"""How latent dimensions are written, ``z0``, ``z1``, …, and read back: in tables, files, links and on axes.

No other module forms a symbol or takes one apart. Codes whose dimensions have places, such as a grid of vectors, would
write theirs (``z3[2,1]``) here.
"""

from __future__ import annotations

import re

from latentlab.errors import InputError

SYMBOL = re.compile(r"z(\d{1,6})")


def symbol(index: int) -> str:
    """The symbol of the dimension at a position of the code.

    >>> symbol(3)
    'z3'
    """
    return f"z{index}"


def symbols(latent_dim: int) -> list[str]:
    """The symbols of all dimensions of a code, in their order.

    >>> symbols(2)
    ['z0', 'z1']
    """
    return [symbol(j) for j in range(latent_dim)]


def turned(said: str) -> str:
    """A dimension's symbol and name for its opposite direction: what a strip shows that runs from high to low.

    >>> turned("z9 scale: 0.9 to 0.6"), turned("z2 x position")
    ('−z9 scale: 0.6 to 0.9', '−z2 x position')
    """
    head, colon, ends = said.partition(": ")
    low, to, high = ends.partition(" to ")
    return f"−{head}{colon}{high}{to}{low}" if to else f"−{said}"


def index_of(written: str, latent_dim: int) -> int:
    """The position of the dimension that a symbol stands for; `InputError` where a code has no such dimension.

    >>> index_of("z3", 10)
    3
    """
    index = _position(written, latent_dim)
    if index is None:
        span = f"{symbol(0)} to {symbol(latent_dim - 1)}"
        raise InputError(f"{written[:40]!r} is not a latent dimension; expected one of {span}")
    return index


def moves(text: str, latent_dim: int) -> dict[int, float]:
    """The values that a text sets, by position; `InputError` where a part of it sets none.

    >>> moves("z3=1.5, z0=-0.4", 10)
    {3: 1.5, 0: -0.4}
    """
    found = {}
    for part in filter(None, re.split(r"[,;\s]+", text.strip().replace("−", "-"))):
        written, _, value = part.partition("=")
        index = _position(written, latent_dim)
        if index is None or not re.fullmatch(r"-?\d{1,9}(?:\.\d{1,9})?", value):
            span = f"with {symbol(0)} to {symbol(latent_dim - 1)}"
            raise InputError(f"{part[:40]!r} moves no dimension; expected such as {symbol(0)}=1.5, {span}")
        found[index] = float(value)
    return found


def _position(written: str, latent_dim: int) -> int | None:
    found = SYMBOL.fullmatch(written)
    return int(found[1]) if found and int(found[1]) < latent_dim else None
