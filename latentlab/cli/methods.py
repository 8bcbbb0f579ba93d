"""``latentlab methods``."""

from latentlab.cli import _console

PANEL = "Analyse"


def methods(paths: _console.Paths, json: _console.Json = False) -> None:
    """Write the methods paragraph for a paper and the BibTeX entries that it cites.

    Example: latentlab methods artifacts/digits
    """
    from latentlab.reports.methods import methods as describe
    from latentlab.runs.study import open_path

    found = describe([open_path(path) for path in paths])
    if json:
        _console.show_json(found._asdict())
        return
    _console.show(found.text)
    _console.show("")
    _console.show(found.bibtex.rstrip("\n"))
