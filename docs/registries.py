"""Reference pages list a folder: where one says ``<!-- every figures -->``, MkDocs sees an entry for each file."""

import re
from typing import Any

from latentlab.metrics._card import card
from latentlab.system.registry import names

EVERY = re.compile(r"<!-- every (\w+) -->")
ENTRIES = {
    "figures": "::: latentlab.figures.{name}.prepare\n    options:\n      heading: {typed}\n      toc_label: {typed}\n",
    "metrics": "::: latentlab.metrics.{name}.{name}\n\n{card}\n",
}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """What MkDocs calls with each page."""
    return EVERY.sub(lambda found: listed(found[1]), markdown)


def listed(folder: str) -> str:
    """An entry for every file of a folder of the package."""
    carded = folder == "metrics"
    entries = {name: card_table(name) if carded else "" for name in names(folder)}
    return "\n".join(
        ENTRIES[folder].format(name=name, typed=name.replace("_", "-"), card=told) for name, told in entries.items()
    )


def card_table(name: str) -> str:
    """A metric's card as a table."""
    return "\n".join(["| card | |", "|---|---|", *(f"| {entry} | {text} |" for entry, text in card(name).entries())])
