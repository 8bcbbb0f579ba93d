"""What to cite: the entries of ``references.bib``, found by how a docstring or a ``METRIC.source`` names a paper.

"Chen et al. 2018" is the entry ``chen2018``, "Kim and Mnih (2018)" ``kimmnih2018``: so a new metric, objective, network
or profile names its paper in its own file, and the paper has one entry here.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from latentlab.errors import InputError
from latentlab.system.registry import HERE

PATH = Path(__file__).with_name("references.bib")
ENTRY = re.compile(r"^@\w+\{([^,\s]+),.*?^\}$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"([^\W\d_][\w-]+)(?: et al\.| and ([^\W\d_][\w-]+))?,? \(?(\d{4})\b")
PLAIN = str.maketrans({"ø": "o", "ł": "l", "ß": "ss"})


@lru_cache
def entries() -> dict[str, str]:
    """Every entry of ``references.bib`` as BibTeX, by key."""
    return {found[1]: found[0] for found in ENTRY.finditer(PATH.read_text(encoding="utf-8"))}


def cited(text: str) -> tuple[str, ...]:
    """The keys of the entries that a text names by author and year, in its order.

    >>> cited("Hyvärinen and Morioka 2016; Khemakhem et al. 2020, section 5")
    ('hyvarinenmorioka2016', 'khemakhem2020')
    """
    keys = (_key(*found.groups(default="")) for found in NAMED.finditer(" ".join(text.split())))
    return tuple(dict.fromkeys(key for key in keys if key in entries()))


def cited_in(folder: str, name: str, settings: Iterable[str] = ()) -> tuple[str, ...]:
    """The keys that the docstring of a file in a folder of the package names; the file is read, not imported.

    What a list item says of a setting (``- ``free_bits``: …``) counts where that setting is among `settings`.
    """
    source = HERE / folder / f"{name.replace('-', '_')}.py"
    if not source.is_file():
        return ()
    text = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    blocks = re.split(r"\n(?=- )|\n\n", text)
    items = [re.match(r"- ``(\w+)``", block) for block in blocks]
    return cited("\n".join(b for b, item in zip(blocks, items, strict=True) if item is None or item[1] in settings))


def bibtex(keys: Iterable[str]) -> str:
    """Those entries as BibTeX, each once, sorted by key."""
    wanted = sorted(set(keys))
    missing = [key for key in wanted if key not in entries()]
    if missing:
        raise InputError(f"references.bib has no {', '.join(missing)}"[:200])
    return "\n\n".join(entries()[key] for key in wanted) + "\n"


def _key(first: str, second: str, year: str) -> str:
    named = unicodedata.normalize("NFKD", (first + second).lower().translate(PLAIN))
    return "".join(c for c in named if c.isascii() and c.isalpha()) + year
