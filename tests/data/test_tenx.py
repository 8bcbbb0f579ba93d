"""Folders of 10x Genomics: counts by cell, barcodes as names of rows, symbols as names of genes."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import io, sparse

from latentlab.data import load
from latentlab.errors import InputError

COUNTS = np.random.default_rng(0).poisson(1.5, (30, 5))
BARCODES = "".join(f"AAC{i:03}-1\n" for i in range(30))
GENES = "".join(f"ENSG{j}\t{name}\tGene Expression\n" for j, name in enumerate(["CD3D", "LYZ", "LYZ", "IL32", "NKG7"]))


def folder(tmp_path: Path, *, packed: bool = True, prefix: str = "", genes: str = GENES) -> Path:
    """A folder as Cell Ranger writes it: of version 3 and packed, or of version 2 and plain."""
    found = tmp_path / "filtered"
    found.mkdir(exist_ok=True)
    write: Callable[..., None] = _gzip if packed else lambda path, text: path.write_text(text)
    end = ".gz" if packed else ""
    write(found / f"{prefix}{'features' if packed else 'genes'}.tsv{end}", genes)
    write(found / f"{prefix}barcodes.tsv{end}", BARCODES)
    with (gzip.open if packed else open)(found / f"{prefix}matrix.mtx{end}", "wb") as file:
        io.mmwrite(file, sparse.coo_array(COUNTS.T))
    return found


def _gzip(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode()))


@pytest.mark.parametrize(("packed", "prefix"), [(True, ""), (True, "GSM1_"), (False, "")])
def test_a_row_is_a_cell_and_a_column_a_gene(packed: bool, prefix: str, tmp_path: Path) -> None:
    data = load(folder(tmp_path, packed=packed, prefix=prefix))
    assert (data.form.kind, data.form.names) == ("counts", ("CD3D", "LYZ", "LYZ-1", "IL32", "NKG7"))
    np.testing.assert_array_equal(data[np.array([7, 0])], COUNTS[[7, 0]])
    assert data.row_names is not None
    assert data.row_names[7] == "AAC007-1"
    assert load(tmp_path / "filtered", top=2).shape == (30, 2)
    assert data.fingerprint["images"] == load(tmp_path / "filtered").fingerprint["images"]


def test_what_is_no_gene_is_left_out_and_said(tmp_path: Path) -> None:
    genes = GENES.replace("NKG7\tGene Expression", "CD3_TotalSeqB\tAntibody Capture")
    data = load(folder(tmp_path, genes=genes))
    assert data.form.names[-1] == "IL32"
    assert any("left out: 1 features of the kind Antibody Capture" in each for each in data.remarks)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda held: (held / "barcodes.tsv").unlink(), "no file barcodes.tsv"),
        (lambda held: (held / "genes.tsv").write_text("A\tB\n"), "expected coordinates of 1 features"),
        (lambda held: (held / "genes.tsv").write_text("CD3D\nLYZ\n"), "expected id and symbol"),
        (lambda held: (held / "matrix.mtx").write_text("no matrix"), "not a sound Matrix Market file"),
        (lambda held: (held / "matrix.mtx").write_text("%%MatrixMarket matrix coordinate integer general\n5 30 9\n1 1"),
         "not a sound Matrix Market file"),
        (lambda held: (held / "matrix.mtx").write_text(
            "%%MatrixMarket matrix coordinate integer general\n5 30 999999999999\n"), "declares"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(change: Callable[[Path], object], message: str, tmp_path: Path) -> None:
    held = folder(tmp_path, packed=False)
    change(held)
    with pytest.raises(InputError, match=message):
        load(held)
