"""Files that are no data that are read here: what they are, by their ending or first bytes, and what to do."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from latentlab.system.regular import open_regular

_TO_CSV, _TO_NPY = "save the table as .csv or .parquet", "save the numbers as .npy or .npz"
_PICTURES, _UNPACK = "convert the images to PNG or JPEG", "unpack it and give what is in it"
KINDS: tuple[tuple[str, str, str], ...] = (  # endings, what a file of that ending is, and what to do
    (".xlsx .xlsm .xls .ods .numbers", "a spreadsheet", _TO_CSV),
    (".feather .arrow .orc .avro", "a table of another format", "save it as .parquet (pandas: frame.to_parquet)"),
    (".rds .rda .rdata", "a file of R", "write it with write.csv, or arrow::write_parquet"),
    (".sav .zsav .por .dta .sas7bdat .xpt", "a file of SPSS, Stata or SAS", _TO_CSV),
    (".json .jsonl .ndjson .xml .html .htm .arff .libsvm .svmlight", "a table of another format", _TO_CSV),
    (".db .sqlite .sqlite3 .duckdb .mdb .accdb", "a database", "save one query of it as .csv or .parquet"),
    (".mat", "a file of MATLAB", "scipy.io.loadmat (h5py from version 7.3 on) reads it, numpy.save writes .npy"),
    (".pkl .pickle .joblib", "a pickle, which may run code and is never opened", _TO_NPY),
    (".pt .pth .ckpt .safetensors .onnx .keras", "weights, or tensors", _TO_NPY),
    (".hdf .he5 .nc .nc4 .cdf .zarr .fits .fit .loom .h5mu .root", "a file of arrays that is not read", _TO_NPY),
    (".tfrecord .lance .bin .raw .dat", "a file whose layout is not told by its ending", _TO_NPY),
    (".wav .flac .mp3 .ogg .m4a .aiff .edf .bdf .fif .gdf .vhdr", "a recording", f"{_TO_NPY}, then say kind=signal"),
    (".mp4 .mov .avi .mkv .webm", "a video", "save its frames as images, or as .npy"),
    (".nii .mgz .nrrd .mha .czi .nd2 .lif .svs", "a volume, or a file of a microscope", _TO_NPY),
    (".dcm .dicom .ima", "DICOM", "save the pixels as 16-bit PNG, or as .npy"),
    (".heic .heif .avif .jxl .jp2 .psd .svg .pdf .cr2 .nef .arw .dng .exr .tga .ico .eps", "a picture", _PICTURES),
    (".7z .rar .tar .tgz .gz .bz2 .xz .zst .lz4 .br .z .sz .snappy .lzma .gzip", "an archive", _UNPACK),
    (".png .jpg .jpeg .bmp .gif .webp .pgm .ppm", "one image", "give the folder of the images"),
)
STARTS: tuple[tuple[bytes, str, str], ...] = (  # the first bytes of a file, what it is, and what to do
    (b"\x93NUMPY", "an array of NumPy", "call it .npy"),
    (b"\x89HDF\r\n\x1a\n", "HDF5", "call it .h5"),
    (b"PAR1", "Parquet", "call it .parquet"),
    (b"PK\x03\x04", "a ZIP, as .xlsx, .ods and .npz are", "save the table as text, or call arrays .npz"),
    (b"\xd0\xcf\x11\xe0", "an old document of Excel", _TO_CSV),
    (b"SQLite format 3", "a database", "save one query of it as .csv"),
    (b"MATLAB 5.0", "a file of MATLAB", _TO_NPY),
    (b"\x1f\x8b", "packed by gzip", "call it .gz, or unpack it"),
    (b"BZh", "packed by bzip2", "call it .bz2, or unpack it"),
    (b"\xfd7zXZ", "packed by xz", "call it .xz, or unpack it"),
    (b"\x28\xb5\x2f\xfd", "packed by Zstandard", "call it .zst, or unpack it"),
    (b"\x04\x22\x4d\x18", "packed by LZ4", "call it .lz4, or unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"\x89PNG", "an image", "give the folder of the images"),
    (b"\xff\xd8\xff", "an image", "give the folder of the images"),
    (b"%PDF", "a PDF", _TO_CSV),
    (b"\x80\x02", "a pickle, which may run code and is never opened", _TO_NPY),
    (b"\x80\x03", "a pickle, which may run code and is never opened", _TO_NPY),
    (b"\x80\x04", "a pickle, which may run code and is never opened", _TO_NPY),
    (b"\x80\x05", "a pickle, which may run code and is never opened", _TO_NPY),
    (b"version https://git-lfs", "a placeholder of Git LFS", "fetch the file (git lfs pull)"),
)
PAGES = (b"<!doctype", b"<html", b"<?xml")
LONGEST_START = 64


def told_by_name(name: str) -> str:
    """What a file is by its ending, and what to do, as the end of a sentence; empty for other endings.

    >>> told_by_name("wards.xlsx")
    'a spreadsheet, which is not read; save the table as .csv or .parquet'
    >>> told_by_name("wards.csv")
    ''
    """
    suffix = PurePosixPath(name).suffix.lower()
    for endings, what, todo in KINDS:
        if suffix in endings.split():
            return f"{what}{'' if ', which' in what or what == 'one image' else ', which is not read'}; {todo}"
    return ""


def told_by_content(start: bytes) -> str:
    """What a file is by its first bytes, and what to do; empty where they are not known.

    >>> told_by_content(b"<html><head>")
    'a web page; download the file itself'
    >>> told_by_content(b"a,b")
    ''
    """
    for first, what, todo in STARTS:
        if start.startswith(first):
            return f"{what}; {todo}"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(PAGES):
        return "a web page; download the file itself"
    halves = start[:LONGEST_START]
    if len(halves) > 3 and (not any(halves[1::2]) or not any(halves[::2])):
        return "UTF-16 without a byte order mark; save it as UTF-8"
    return ""


def told_of(path: Path) -> str:
    """What a regular file is by its first bytes, and what to do; empty where they are not known."""
    with open_regular(path) as file:
        return told_by_content(file.read(LONGEST_START))
