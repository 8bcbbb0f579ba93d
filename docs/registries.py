"""Reference pages list a folder: where one says ``<!-- every figures -->``, MkDocs sees an entry for each file."""

import re
from typing import Any

from latentlab.system.registry import names

EVERY = re.compile(r"<!-- every (\w+) -->")
ENTRIES = {
    "figures": "::: latentlab.figures.{name}.prepare\n    options:\n      heading: {typed}\n      toc_label: {typed}\n",
    "metrics": "::: latentlab.metrics.{name}.{name}\n",
}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """What MkDocs calls with each page."""
    return EVERY.sub(lambda found: listed(found[1]), markdown)


def listed(folder: str) -> str:
    """An entry for every file of a folder of the package."""
    return "\n".join(ENTRIES[folder].format(name=name, typed=name.replace("_", "-")) for name in names(folder))
