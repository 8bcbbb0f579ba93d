"""Names in Plotly figures, which reads ``<b>``, ``&amp;`` and ``%{x}`` as markup: written so that it shows them.

What a figure is drawn of goes through `escaped` before it is drawn, all of it, so that no kind can forget a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from html import escape, unescape
from typing import Any

import numpy as np

OWN = "latentlab.figures"  # the dataclasses that hold what is drawn; others, such as runs, are no texts


def escaped(value: Any) -> Any:
    """The same value with every text in it written so that Plotly shows it letter by letter.

    >>> escaped({"a<b>": ["x & y", "%{z}", 1.5]})
    {'a&lt;b&gt;': ['x &amp; y', '%&#123;z}', 1.5]}
    """
    if isinstance(value, str):
        return escape(value, quote=False).replace("%{", "%&#123;")
    if isinstance(value, Mapping):
        return {escaped(key): escaped(each) for key, each in value.items()}
    if isinstance(value, list):
        return [escaped(each) for each in value]
    if isinstance(value, tuple):
        parts = [escaped(each) for each in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if isinstance(value, np.ndarray):
        return np.vectorize(escaped, otypes=[object])(value) if value.dtype.kind in "OU" and value.size else value
    if is_dataclass(value) and not isinstance(value, type) and type(value).__module__.startswith(OWN):
        return replace(value, **{f.name: escaped(getattr(value, f.name)) for f in fields(value) if f.init})
    return _table(value) if hasattr(value, "to_dict") and hasattr(value, "columns") else value


def _table(table: Any) -> Any:
    """A pandas table with its texts escaped, in cells, columns, index and ``attrs``."""
    found = table.copy()
    for column in table.columns:
        if any(isinstance(cell, str) for cell in table[column]):  # others keep their type
            found[column] = [escaped(cell) if isinstance(cell, str) else cell for cell in table[column]]
    found = found.rename(columns=escaped, index=escaped)
    found.attrs = escaped(table.attrs)
    return found


def shown(text: str) -> str:
    """The text again, for where it is not markup.

    >>> shown(escaped("a<b> & %{c}"))
    'a<b> & %{c}'
    """
    return unescape(text)
