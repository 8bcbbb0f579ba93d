"""What goes wrong, and the exit status that a verb ends with.

Every message is one line: what came, what was expected, what to do.
"""


class LatentlabError(Exception):
    """The work could not be finished (diverged, locked, a member failed). Exit status 1."""

    exit_status = 1


class InputError(LatentlabError, ValueError):
    """What was given cannot be used: a path, a file, an array, a setting. Exit status 2."""

    exit_status = 2


class MissingError(InputError, FileNotFoundError):
    """A file or folder that was named does not exist. Exit status 2."""
