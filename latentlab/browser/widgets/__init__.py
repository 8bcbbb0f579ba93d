"""Widgets for notebooks, one per file: sliders, runs side by side, the map. They need the extra ``notebook``.

`Run.explore`, `Study.compare` and `Run.map` make them. A widget shows the same component as the dashboard; what is done
in it comes back as traits: ``widget.code``, ``widget.selection``. Dragging asks the kernel nothing.
"""

from latentlab.errors import LatentlabError

try:
    import anywidget  # noqa: F401
except ImportError as error:
    raise LatentlabError("a widget needs anywidget; install it: pip install 'latentlab[notebook]'") from error
