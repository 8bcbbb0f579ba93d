"""What goes wrong, and the exit status that a verb ends with.

Every message is one line: what came, what was expected, what to do.
"""

from collections.abc import Callable
from typing import Any
from unicodedata import category

HIDDEN = ("Cc", "Cf", "Cs")  # Unicode's categories of controls, formats and halves of pairs


def harmless(text: str) -> str:
    """`text` with a question mark for what a terminal might obey instead of showing; lines and tabs stay."""
    return "".join("?" if category(c) in HIDDEN and c not in "\n\t" else c for c in text)


def one_line(text: str) -> str:
    """`harmless` text without breaks."""
    return harmless(" ".join(text.split()))


class LatentlabError(Exception):
    r"""The work could not be finished (diverged, locked, a member failed). Exit status 1.

    A message may quote what a file holds; it is made one line of printable characters here.

    Parameters
    ----------
    message : str
        What came, what was expected, and what to do.

    Examples
    --------
    >>> str(LatentlabError("an array called a\nb\x00"))
    'an array called a b?'
    """

    exit_status = 1

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class InputError(LatentlabError, ValueError):
    """What was given cannot be used: a path, a file, an array, a setting. Exit status 2.

    Parameters
    ----------
    message : str
        What came, what was expected, and what to do.

    Examples
    --------
    >>> InputError("beta is -1; expected at least 0").exit_status
    2
    """

    exit_status = 2


class MissingError(InputError, FileNotFoundError):
    """A file or folder that was named does not exist. Exit status 2."""


class NewerFormatError(InputError):
    """A later version of latentlab wrote the file, which is whole: upgrade, and do not rewrite it. Exit status 2."""


class LockedFileError(InputError):
    """The file is there but cannot be opened now: no permission, or another program holds it. Exit status 2."""


class Remark(UserWarning):
    """What the work went on without (a letter that no font has): told on one line, and not the end of a verb."""


def attempt(read: Callable[[], Any], otherwise: Any) -> tuple[Any, str]:
    """What `read` gives, or something else and why: one damaged file does not cost a whole page.

    >>> attempt(lambda: 1, 0)
    (1, '')
    """
    try:
        return read(), ""
    except LatentlabError as error:
        return otherwise, str(error)
