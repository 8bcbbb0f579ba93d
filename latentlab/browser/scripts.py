"""The text of the room's scripts and styles, to be put into a page: nothing is fetched."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w.]+)";\n', re.MULTILINE)


def script(name: str) -> str:
    """A module of this folder as one text: what it imports from beside it stands before it.

    Parameters
    ----------
    name : str
        Of a file, as in ``stage.js``.

    Returns
    -------
    str
        A module without imports; its exports are those of all files in it.

    Examples
    --------
    >>> "export function mountStage" in script("stage.js"), "import" in script("stage.js").split()
    (True, False)
    """
    text = (HERE / name).read_text(encoding="utf-8")
    before = [script(found) for found in IMPORT.findall(text)]
    return "".join([*before, IMPORT.sub("", text)])


def style(name: str) -> str:
    """The text of a stylesheet of this folder, as in ``stage.css``."""
    return (HERE / name).read_text(encoding="utf-8")
