"""What every widget has: its style in each notebook's theme, a note, and a still picture for exported notebooks."""

from __future__ import annotations

from html import escape
from typing import Any

import anywidget
import traitlets

from latentlab.errors import InputError
from latentlab.figures import captioned
from latentlab.figures._shown import still
from latentlab.runs.run import Run

STILL = "Still picture: run the cell in a notebook to use the widget."
HIDDEN = "latentlab-still"  # the class that cell.js hides where the widget itself is shown


class Widget(anywidget.AnyWidget):
    """A component of the page, with a still picture beside it for where no widgets are shown."""

    data = traitlets.Dict().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)

    def _ipython_display_(self) -> None:
        """Show the widget and, hidden where it is alive, its picture: an exported notebook keeps outputs alone."""
        from IPython.display import display

        view, more = self._repr_mimebundle_()
        display(view, metadata=more, raw=True)
        display(self._still(), raw=True)

    def _still(self) -> dict[str, str]:
        kind, runs, options = self._picture()
        try:
            png, caption = captioned(kind, runs, "png", **options)
        except InputError as error:
            return {"text/html": f'<p class="{HIDDEN}">{escape(str(error))}</p>'}
        shown = still(png, caption, STILL)
        return {**shown, "text/html": f'<div class="{HIDDEN}">{shown["text/html"]}</div>'}

    def _picture(self) -> tuple[str, list[Run], dict[str, Any]]:
        """The kind of figure that shows what the widget does, of which runs, with which options."""
        raise NotImplementedError
