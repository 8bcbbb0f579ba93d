"""The command line: one verb per file. Parse, call, show.

A verb's file has a function of the file's name (or a `typer.Typer` called ``app``, for a verb with verbs of its own)
and ``PANEL``, the part of the help it stands in, one of `PANELS`. Files are light to import: what is heavy is imported
inside functions. What several verbs share begins with an underscore. Does not belong here: computing anything. A verb
for a question calls ``analysis/NAME/stage.py``.
"""

import os
import re
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from latentlab.cli import _console
from latentlab.errors import InputError, LatentlabError
from latentlab.system.registry import load, names
from latentlab.system.streams import remarks

PANELS = ("Train", "Analyse", "Ask one question", "Show", "Files")  # in the order of the help
HELP = """Understand the latent spaces of autoencoders: train, analyse, score, compare, show.

Start with: latentlab demo
"""


def build() -> typer.Typer:
    """The application, with every verb found in this folder."""
    app = typer.Typer(help=HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.callback()(_top)
    verbs = [(name, load("cli", name)) for name in names("cli")]
    for name, module in sorted(verbs, key=lambda verb: PANELS.index(verb[1].PANEL)):
        verb = name.rstrip("_")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=verb, rich_help_panel=module.PANEL)
        else:
            app.command(verb, rich_help_panel=module.PANEL)(getattr(module, name))
    return app


@cache
def _command() -> Any:
    """The application as it is called; built once, for a process may call it often."""
    return get_command(build())


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"latentlab {version('latentlab')}")
        raise typer.Exit


def _top(
    version: bool = typer.Option(
        False, "--version", is_eager=True, callback=_print_version, help="Print the version and exit."
    ),
) -> None:
    """Take the options that stand before a verb."""


def refuse_empty(argv: Sequence[str]) -> None:
    """Raise an `InputError` for an argument without a letter, which would name the current folder."""
    for number, word in enumerate(argv):
        if not word or re.fullmatch("--[a-z-]+=", word):
            before = word or (argv[number - 1] if number else "latentlab")
            raise InputError(
                f"the argument after {before.rstrip('=')} is empty; expected a value: is a variable unset?"
            )


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command line; its exit status: 0 done, 1 failed, 2 bad input, 130 interrupted.

    This is the one place where an exception, or a `Remark`, becomes a line on standard error.
    """
    try:
        refuse_empty(sys.argv[1:] if argv is None else argv)
        with remarks():
            result = _command().main(argv, prog_name="latentlab", standalone_mode=False)
            sys.stdout.flush()  # what cannot be written is said here, and not while the interpreter ends
        return result if isinstance(result, int) else 0
    except KeyboardInterrupt:
        return 130
    except LatentlabError as error:
        return _console.fail(str(error), error.exit_status)
    except TyperException as error:
        return _console.fail(error.format_message() or str(error) or "no command was given; see latentlab --help", 2)
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error):  # torch says RuntimeError for all it says
            raise
        return _console.fail("out of memory; use fewer rows, a smaller batch or a smaller model", 1)
    except UnicodeEncodeError as error:
        return _console.fail(f"{error.object!r:.80} is not valid text; rename the folder or file", 2)
    except BrokenPipeError:  # whoever read standard output has read enough
        return 1
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not _is_somewhere():
            return _console.fail("the current folder was removed; change to one that exists", 2)
        where = f"{error.filename}: " if error.filename else ""
        return _console.fail(f"{where}{error.strerror or error}; no file was left half written", 1)


def _is_somewhere() -> bool:
    """Whether the folder that the process is in is still there."""
    try:
        return bool(os.getcwd())  # noqa: PTH109 — pathlib asks the same
    except FileNotFoundError:
        return False
