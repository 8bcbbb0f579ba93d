"""What is no data that are read here is named with a way out, by its ending or by what is in it."""

import bz2
import gzip
import lzma
import zipfile
from pathlib import Path

import numpy as np
import pyarrow
import pytest

from latentlab.data import load, read_columns
from latentlab.data._dialects import Asked
from latentlab.errors import InputError

ROWS = np.random.default_rng(0).normal(size=(30, 2)).round(3)
TEXT = ("a,b\n" + "".join(f"{a},{b}\n" for a, b in ROWS.tolist())).encode()
CODECS = {".zst": "zstd", ".lz4": "lz4", ".br": "brotli"}


def packed(path: Path) -> Path:
    """The table, packed as the ending says."""
    suffix = path.suffix
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("t.csv", TEXT)
    elif suffix in CODECS:
        with pyarrow.CompressedOutputStream(str(path), CODECS[suffix]) as stream:
            stream.write(TEXT)
    else:
        pack = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}[suffix]
        path.write_bytes(pack(TEXT))
    return path


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst", ".lz4", ".br", ".zip"])
def test_a_table_is_the_same_however_it_is_packed(tmp_path: Path, suffix: str) -> None:
    path = packed(tmp_path / f"t.csv{suffix}")
    data = load(path)
    np.testing.assert_allclose(data[range(30)], ROWS, atol=1e-6)
    assert data.form.names == ("a", "b")
    assert read_columns(path, Asked(), words=True).values.tolist() == ROWS.tolist()


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".zst", ".lz4", ".br", ".zip"])
def test_a_packed_table_that_is_cut_short_or_none_is_said(tmp_path: Path, suffix: str) -> None:
    path = packed(tmp_path / f"t.csv{suffix}")
    content = path.read_bytes()
    for broken in (content[: len(content) // 2], TEXT):
        path.write_bytes(broken)
        with pytest.raises(InputError, match=r"is damaged, or not a|is not a complete"):
            load(path)


@pytest.mark.parametrize(("name", "told"), [
    ("t.csv.7z", "an archive, .*; unpack it"), ("t.xlsx", "a spreadsheet, .*csv"), ("t.rds", "R, .*write.csv"),
    ("t.mat", "MATLAB, .*scipy.io.loadmat"), ("t.pkl", "never opened; save the numbers"), ("t.sav", "SPSS"),
    ("t.sqlite", "a database"), ("t.jsonl", "another format"), ("t.wav", "a recording, .*kind=signal"),
    ("t.dcm", "DICOM"), ("t.heic", "a picture, .*PNG"), ("t.png", "one image; give the folder"),
    ("t.feather", "parquet"),
])  # fmt: skip
def test_other_formats_are_named_with_a_way_out(tmp_path: Path, name: str, told: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"x")
    with pytest.raises(InputError, match=told) as caught:
        load(path)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(("content", "told"), [
    (b"<!DOCTYPE html>\n<html>\n<head>", "a web page; download"), (b"PK\x03\x04" + bytes(60), "a ZIP, as .xlsx"),
    (b"SQLite format 3\0" + bytes(60), "a database"), (gzip.compress(TEXT), "packed by gzip; call it .gz"),
    (TEXT.decode().encode("utf-16-le"), "UTF-16 without a byte order mark"), (b"\x93NUMPY\x01\0", "call it .npy"),
    (TEXT.decode().encode("utf-16-be"), "UTF-16 without"), (b"\x89HDF\r\n\x1a\n", "call it .h5"),
])  # fmt: skip
def test_what_is_called_a_table_and_is_none_is_named(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"is not a table but .*{told}"):
        load(path)


@pytest.mark.parametrize(("name", "content", "told"), [
    ("x.npy", b"\x89HDF\r\n\x1a\n", "HDF5; call it .h5"), ("x.npz", b"\x93NUMPY\x01\0", "call it .npy"),
    ("x.npy", b"\x80\x04K\x01.", "a pickle"), ("x.zip", b"<html>", "a web page"), ("x.npy", b"1,2\n", "not a complete"),
])  # fmt: skip
def test_what_is_called_an_array_and_is_none_is_named(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=told):
        load(path)
