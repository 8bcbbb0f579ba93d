"""``latentlab teach``."""

from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import Annotated

from latentlab.cli import _console

PANEL = "Show"
NEEDED = {"anywidget": "'latentlab[notebook]'", "jupyterlab": "jupyterlab"}  # what a class needs, and what pip calls it


def teach(
    out: Annotated[Path, _console.folder_to_make("Folder to create")] = Path("teaching"),
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Write a notebook for a class and the study that it shows: digits in two latent dimensions, AE and β = 1 and 4.

    Example: latentlab teach -o class
    """
    from latentlab.exchange.exporters._needs import new_folder
    from latentlab.system.files import write_bytes
    from latentlab.system.resources import teaching

    notebook, study = teaching()
    with new_folder(out):
        for file in sorted(file for file in study.rglob("*") if file.is_file()):
            write_bytes(out / study.name / file.relative_to(study), file.read_bytes())
        write_bytes(out / notebook.name, notebook.read_bytes())
    if json:
        _console.show_json({"notebook": str(out / notebook.name), "study": str(out / study.name)})
        return
    _console.show(f"Saved {out / notebook.name} and its study, {out / study.name}")
    missing = [named for module, named in NEEDED.items() if find_spec(module) is None]
    if not quiet:
        install = f"pip install {' '.join(missing)} && " * bool(missing)
        _console.show(f"Next: {install}jupyter lab {quote(str(out / notebook.name))}")
