"""Data sets: found by name (a file of this folder), read from a path, or made by a Python file of the user's own.

``load("digits")``, ``load("dsprites:size=32,grid=3x3x10x8x8")``, ``load("shapes3d:3dshapes.h5")`` (a published file),
``load("mnist/")`` (IDX files), ``load("faces.npz")``, ``load("photos/:size=64")``, ``load("spirals.py:spirals")``.

Belongs here: one file per named data set, ``kinds/`` (one file per kind of sample), ``attributes/`` (what can be
measured on a sample), and readers of files, named with an underscore. Does not belong here: checkpoints (`exchange`),
codes, and anything that knows a model.
"""

from __future__ import annotations

import ast
import difflib
import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from latentlab.data._binarise import binarised
from latentlab.data._check import check
from latentlab.data._conditions import at_levels, condition_of, one_hot
from latentlab.data._draws import drawn
from latentlab.data._fetch import Remote, fetch, fetch_files
from latentlab.data._foreign import told_by_name
from latentlab.data._memory import from_arrays, is_annotated, is_samples
from latentlab.data._polarity import inverted
from latentlab.data._remarks import say, say_if_dark
from latentlab.data._spec import Code, Located, Named, Spec, names, read_spec
from latentlab.data._strokes import measured
from latentlab.data.dataset import Dataset, Factor
from latentlab.data.kinds import Form
from latentlab.errors import InputError, MissingError
from latentlab.system import registry
from latentlab.system.regular import check_regular

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from latentlab.data._columns import Columns
    from latentlab.data._dialects import Asked

# Options that any data set has, in the order in which they are applied.
TREATMENTS: dict[str, Callable[[Dataset, Any], Dataset]] = {
    "inverted": inverted,
    "factors": measured,
    "draws": drawn,
    "binarised": binarised,
}

__all__ = [
    "PARQUET", "Code", "Dataset", "Factor", "Form", "Located", "Named", "Remote", "Spec", "at_levels", "check",
    "condition_of", "describe", "fetch", "fetch_files", "files_of", "from_arrays", "is_samples", "load", "names",
    "one_hot", "open_spec", "package_of", "read_columns", "read_spec", "reads_files", "say_if_dark",
]  # fmt: skip

PARQUET = (".parquet", ".pq")
TEXT = (".csv", ".tsv", ".tab", ".txt")
PACKED = (".gz", ".bz2", ".xz", ".lzma", ".zst", ".lz4", ".br", ".zip")
TABLES = (*TEXT, *(f"{text}{packed}" for text in TEXT for packed in PACKED), *PARQUET)


def read_columns(path: Path, asked: Asked, *, words: bool) -> Columns:
    """The columns of a table, of text in any dialect or of Parquet.

    Parameters
    ----------
    path : Path
        The file; ``.parquet`` and ``.pq`` are Parquet, anything else is text.
    asked : Asked
        Whether the first line has names and the first column row numbers; None infers it.
    words : bool
        Whether words are levels that are named.

    Returns
    -------
    Columns
        ``values`` (n, k), ``names`` where there are some, and what is ``said`` of how the table was read.

    Raises
    ------
    InputError
        Where the file is not such a table, or can be read either way.
    """
    from latentlab.data._columns import of_parquet, of_text

    reader = of_parquet if path.suffix.lower() in PARQUET else of_text
    return reader(path, asked, words=words)


def describe(name: str) -> str:
    """What a named data set is, in a line.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    str
        The line.

    Raises
    ------
    InputError
        For an unknown name.

    Examples
    --------
    >>> len(describe("digits").splitlines())
    1
    """
    file = registry.choose(name, names(), what="data set").replace("-", "_")
    source = registry.HERE / "data" / f"{file}.py"
    return (ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or name).splitlines()[0]


def files_of(name: str) -> str:
    """The published files that a named data set is read from.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    str
        Their names; empty for a data set that needs none.

    Raises
    ------
    InputError
        For an unknown name.

    Examples
    --------
    >>> files_of("digits")
    ''
    """
    return str(getattr(registry.load("data", name), "FILES", ""))


def package_of(name: str) -> str:
    """The package that ships a named data set.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    str
        Its name; empty where latentlab has the data, or draws them, or they are downloaded.

    Raises
    ------
    InputError
        For an unknown name.

    Examples
    --------
    >>> package_of("digits")
    ''
    """
    return str(getattr(registry.load("data", name), "PACKAGE", ""))


def reads_files(spec: Spec) -> bool:
    """Whether opening data reads a file or folder; drawn and embedded data sets need none.

    Parameters
    ----------
    spec : Spec
        What names the data.

    Returns
    -------
    bool
        Whether it does.

    Raises
    ------
    InputError
        For an unknown name.

    Examples
    --------
    >>> reads_files(read_spec("digits")), reads_files(read_spec("photos/"))
    (False, True)
    """
    return not isinstance(spec, Named) or "path" in spec.options or bool(files_of(spec.head))


def load(spec: str | Path | Dataset | NDArray[Any], **options: Any) -> Dataset:
    """The data set that a text, a path or an array gives.

    Parameters
    ----------
    spec : str, Path, Dataset or samples
        A name, a path, or either with options as ``NAME:key=value,key=value``. A name may need its published files,
        ``NAME:PATH``. A path is a table (``.csv``, ``.tsv``, ``.parquet``), a folder of IDX files or of 10x Genomics, a
        ``.npy``, ``.npz``, ``.h5`` or ``.h5ad`` file, or a folder or ``.zip`` of images. ``FILE.py:NAME`` is a file of
        your own, which is run: NAME is a `Dataset`, samples as `from_arrays` takes them or a mapping as an ``.npz`` has
        it, or a function (of options, if you like) that returns one. A `Dataset` is returned as it is, and samples in
        memory (an array, a data frame, a tensor) are read by `from_arrays`. An AnnData object is read as the file would
        be that it is written to, with the same options.
    **options
        The same as those written after the colon.

    Returns
    -------
    Dataset
        Samples (n, *shape), and what is known of each row.

    Raises
    ------
    MissingError
        Where nothing of that name exists.
    InputError
        Where it cannot be used, or an option is not known.

    Notes
    -----
    Any data take ``binarised=SEED``: every pixel is drawn once as black or white, its grey level the probability, with
    ``draws=TIMES`` that often for each training image, each time as a row of its own; ``factors=strokes``: thickness,
    slant and width are measured on its images; ``inverted=1``: light and dark change places.

    Examples
    --------
    >>> load("digits")
    Dataset('digits': 1,797 images 1×8×8; labels)
    >>> load("dsprites", size=32, grid=(3, 2, 4, 3, 3)).spec
    'dsprites:size=32,grid=3x2x4x3x3'
    """
    if isinstance(spec, Dataset):
        return spec
    if is_annotated(spec):
        from latentlab.data import _annotated

        return _annotated.dataset_of(_annotated.of_anndata(spec), **options)
    if is_samples(spec):
        return _told(from_arrays(spec, **options))
    return open_spec(read_spec(cast("str | Path", spec)), may_run_code=True, **options)


def open_spec(spec: Spec, *, may_run_code: bool = False, **options: Any) -> Dataset:
    """The data set that a specification names; a file of the user's own is run only where that is allowed.

    Parameters
    ----------
    spec : Spec
        What names the data.
    may_run_code : bool, default False
        Whether a Python file may be run. That is for whoever had the specification from the user's own hand: an
        argument, an option of the command line. One from a file (a run's configuration, a study file, what codes
        record) is opened without.
    **options
        Further options of the data set.

    Returns
    -------
    Dataset
        Samples (n, *shape), and what is known of each row.

    Raises
    ------
    MissingError
        Where nothing of that name exists.
    InputError
        Where it cannot be used, an option is not known, or code is named that may not run.

    Examples
    --------
    >>> open_spec(read_spec("digits"))
    Dataset('digits': 1,797 images 1×8×8; labels)
    """
    if isinstance(spec, Code) and not may_run_code:
        raise InputError(f"{spec} is code, which is never run because a file names it; if it is yours, use --data")
    spec = replace(spec, options={**spec.options, **options})
    reader, arguments = _reader(spec)
    spec = _with_files(spec, reader)
    own = set(inspect.signature(reader).parameters) - set(arguments)
    for option in spec.options:
        if option not in own | TREATMENTS.keys():
            raise InputError(f"{spec.head} has no option {option!r}; it has: {', '.join([*sorted(own), *TREATMENTS])}")
    if "draws" in spec.options and "binarised" not in spec.options:
        raise InputError("draws says how often bits are drawn; give binarised too, as in mnist/:binarised=0,draws=9")
    data = reader(**arguments, **{key: value for key, value in spec.options.items() if key in own})
    treatments = [option for option in TREATMENTS if option in spec.options and option not in own]
    if treatments and not data.form.bytes:
        raise InputError(f"{treatments[0]}= is for images of bytes; {data.name[:60]} has {data.form.described()}")
    for option in treatments:
        data = TREATMENTS[option](data, spec.options[option])
    return _told(replace(data, spec=str(spec)), *_shadowed(spec))


def _told(data: Dataset, *more: str) -> Dataset:
    """The data set, of which its remarks are said."""
    for remark in (*more, *data.remarks):
        say(f"{data.name}: {remark}")
    return data


def _shadowed(spec: Spec) -> tuple[str, ...]:
    """A word where a file or folder has the name of a data set that is read from elsewhere."""
    if not isinstance(spec, Named) or "path" in spec.options or not Path(spec.head).exists():
        return ()
    return (f"this is the data set of that name; to read the local path of the same name, write ./{spec.head}",)


def _reader(spec: Spec) -> tuple[Callable[..., Dataset], dict[str, Any]]:
    """The function that reads it, and its first arguments."""
    if isinstance(spec, Named):
        return registry.load("data", spec.head).load, {}
    if isinstance(spec, Code):
        from latentlab.data import _own

        return _own.maker(spec), {}
    return _file_reader(spec.head)


def _file_reader(head: str) -> tuple[Callable[..., Dataset], dict[str, Any]]:
    """The function that reads a file or a folder, and its first arguments."""
    path = Path(head)
    if not path.exists():
        raise MissingError(f"{head} does not exist; expected a file, a folder or a name ({_near(head)})")
    if path.is_dir():
        from latentlab.data import _folder, _idx, _tenx

        reader = _idx.load if _idx.found(path) else _tenx.load if _tenx.found(path) else _folder.load
        return reader, {"path": path}
    check_regular(path)
    suffix = path.suffix.lower()
    if path.name.lower().endswith(TABLES):
        from latentlab.data import _table

        return _table.load, {"path": path}
    if suffix == ".zip":
        from latentlab.data import _folder

        return _folder.load, {"path": path}
    if suffix in (".npy", ".npz", ".h5", ".hdf5"):
        from latentlab.data import _file

        return _file.load, {"path": path}
    if suffix in (".tif", ".tiff"):
        from latentlab.data import _stack

        return _stack.load, {"path": path}
    if suffix == ".h5ad":
        from latentlab.data import _h5ad

        return _h5ad.load, {"path": path}
    if suffix == ".py":
        raise InputError(f"{head} is a Python file; name the callable that returns the data, as in {head}:images")
    if what := told_by_name(head):
        raise InputError(f"{head[-60:]} is {what}")
    raise InputError(
        f"{head} is not a data file; expected .csv, .parquet, .npy, .npz, .h5, .h5ad, .tif, .zip or a folder"
    )


def _with_files(spec: Spec, reader: Callable[..., Dataset]) -> Spec:
    """Where a name needs files and none are given, they are what is called like it here, if anything is."""
    path = inspect.signature(reader).parameters.get("path")
    needed = path is not None and path.default is inspect.Parameter.empty
    if not isinstance(spec, Named) or not needed or "path" in spec.options:
        return spec
    if not Path(spec.head).exists():
        raise InputError(
            f"{spec.head} is read from published files ({files_of(spec.head)}); say where they are: {spec.head}:PATH"
        )
    return replace(spec, options={**spec.options, "path": spec.head})


def _near(head: str) -> str:
    """The names that resemble what was typed, or those that need no files."""
    found = difflib.get_close_matches(head, names(), n=2)
    return ", ".join(found or [name for name in names() if not files_of(name)])
