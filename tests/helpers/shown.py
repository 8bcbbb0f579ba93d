"""What a page of the dashboard shows, as text."""

import re
from typing import Any


def words(app: Any) -> str:
    """All HTML of a page."""
    return "\n".join(str(element.proto.body) for element in app.get("html"))


def rows(app: Any) -> list[str]:
    """The rows of its tables, as plain text."""
    found = re.findall(r"<tr[^>]*>(.*?)</tr>", words(app), re.DOTALL)
    return [re.sub(r"<[^>]+>", " ", row) for row in found]
