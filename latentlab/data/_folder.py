"""Folders (or a ``.zip``) of images: flat, or one folder per label. Pixels are read by index, headers at first."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np

from latentlab.data._arrangement import UNLABELLED, arranged, doubled, nested, paired
from latentlab.data._arrays import open_zip
from latentlab.data._fingerprint import Known, of_files
from latentlab.data._foreign import told_by_name
from latentlab.data._listing import SUFFIXES, Listing, Stamp, natural, of_archive, of_folder, stored_names, with_slashes
from latentlab.data._names import readable
from latentlab.data._suspects import said_of_levels
from latentlab.data._tiff import misread, pages, refusal
from latentlab.data.dataset import Dataset, Rows, Samples
from latentlab.data.kinds import Form, image_form
from latentlab.errors import InputError, MissingError
from latentlab.system.limits import check_unpacked
from latentlab.system.regular import ABSENT, is_placeholder, open_regular

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
GREY, COLOUR = frozenset({"1", "L", "LA"}), frozenset({"RGB", "RGBA", "P", "PA", "CMYK", "YCbCr"})
DEEP = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I", "F"})  # grey of more than 8 bits, kept as numbers
STACKS = frozenset({"GIF", "PNG", "TIFF", "WEBP"})  # the further pictures of a JPEG are previews
SIZES = range(1, 4097)
RESIZE = "PATH:size=64 resizes"
MEMBER = 1 << 28  # bytes that one image file may have
TURNED = ("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif")  # where a header may say how to turn an image
ORIENTATION = 0x0112  # the EXIF tag; from 5 on width and height change places
RULES = "upright, on white"  # how pixels are made of files; part of what the images are
Opener = Callable[[str], IO[bytes]]


def load(path: Path, *, size: int | None = None) -> Dataset:
    """Grey (1 channel) or colour (3 channels) images of one size, in the order of their names.

    Grey images of 16 bits and of floats (PNG, TIFF) are kept as numbers. Images in subfolders get the subfolder as
    their label; where all lie in folders called train, test or val (`arranged`), those are the splits, and the folders
    in them the labels. Where grey and colour are mixed, all are read as colour. ``size``
    resizes each to ``size`` × ``size`` (bilinear, area-averaging when smaller). Transparent pixels stand on white, and
    images are turned as their EXIF orientation says. Raises `InputError` where sizes differ without ``size=``, where
    links lead nowhere, and, when a row is read, where an image cannot be decoded.
    """
    if size is not None and size not in SIZES:
        raise InputError(f"{path}: size={size} is not between {SIZES.start} and {SIZES.stop - 1}")
    listing = _listing(path)
    files, remarks = _headers(path, *listing.known(path), size is not None), listing.remarks
    untold = f"labels are not read from {listing.annotated}, but from folders: one folder of images for each label"
    if not files:
        held = f" ({remarks[0].split(': ', 1)[1][:60]})" if remarks else ""
        kinds = [(kind, told_by_name(f"x{kind}")) for kind, _ in listing.passed.most_common()]
        expected = next((f"{kind} is {told}" for kind, told in kinds if told), "")
        expected = expected or f"expected {', '.join(sorted(SUFFIXES))}"
        raise MissingError(f"{str(path)[-40:]} holds no images{held}; {expected}"[:200])
    colour, (width, height) = _layout(path, files, resized=size is not None)
    if size is None and max(width, height) not in SIZES:
        came = f"{files[0].name[-40:]} is {_by(files[0].size)}"
        raise InputError(f"{str(path)[-60:]}: {came}; at most {SIZES.stop - 1} pixels a side are read: {RESIZE}")
    shape = (3 if colour else files[0].channels, size or height, size or width)
    form = _form(files, shape)
    listed = tuple(file.name for file in files)
    classes, splits = arranged(listed)
    names = sorted(set(classes), key=natural)
    numbers = {name: number for number, name in enumerate(names)}
    return Dataset(
        name=path.resolve().stem,
        shape=(len(files), *shape),
        read=Known(partial(_read, path, listed, form, size), lambda: _content(path, listed, shape)),
        labels=np.array([numbers[name] for name in classes], dtype=np.int64) if len(names) > 1 else None,
        label_names=tuple(readable(_without_common(names))) if len(names) > 1 else (),
        splits=splits,
        source={"name": "images", "files": len(files)} | ({"size": size} if size else {}),
        remarks=(
            *remarks,
            *_assumed(files, classes),
            *_renamed(names),
            *([untold] if listing.annotated and len(names) < 2 else []),
            *said_of_levels("classes", names),
        ),
        form=form,
    )


def _form(files: tuple[_File, ...], shape: tuple[int, ...]) -> Form:
    """Bytes, or the numbers of grey images of more than 8 bits."""
    if files[0].mode not in DEEP:
        return image_form(shape)
    return Form("image", shape, "float64" if any(file.mode == "I" for file in files) else "float32")


def _assumed(files: tuple[_File, ...], classes: list[str]) -> Iterator[str]:
    """What was taken for granted of these images."""
    if files[0].channels > 1:
        yield f"each file has {files[0].channels} pages, which are read as the channels of one image"
    grey = sum(file.grey for file in files)
    if 0 < grey < len(files):
        yield f"{grey:,} of {len(files):,} images are grey and the others in colour: all are read as colour"
    if cut := sum(file.cut for file in files):
        yield f"{cut:,} of {len(files):,} images have 16-bit colours, which are read as 8 bits"
    if clear := sum(file.clear for file in files):
        yield f"{clear:,} of {len(files):,} images have an alpha channel: transparent pixels are read as white"
    if UNLABELLED in classes:
        count = classes.count(UNLABELLED)
        yield f"{count:,} of {len(files):,} images are not in a class folder; their class is called {UNLABELLED}"
    yield from filter(None, (paired([file.name for file in files], classes), doubled(classes), nested(classes)))


def _renamed(names: list[str]) -> tuple[str, ...]:
    """A sentence where folders are not called as their classes are."""
    same = len(names) < 2 or readable(names) == names
    return () if same else ("names of folders are not UTF-8, so they are read as Latin-1",)


def _content(path: Path, names: tuple[str, ...], shape: tuple[int, int, int]) -> str:
    """What the images are: names, order and bytes of their files, and to what they are brought."""
    files = [(name, path / name) for name in names] if path.is_dir() else [(path.suffix, path)]
    return of_files(files, *names, shape, RULES)


class _File(NamedTuple):
    """What the header of an image says: whether it is grey, may be transparent, and (width, height) as it is shown."""

    name: str
    mode: str
    grey: bool
    clear: bool
    size: tuple[int, int]
    cut: bool = False
    channels: int = 1  # as so many pages


def _listing(path: Path) -> Listing:
    if path.is_dir():
        return of_folder(path)
    with open_zip(path) as archive:
        return of_archive(with_slashes(archive.namelist()))


@lru_cache(maxsize=4)
def _headers(path: Path, names: tuple[str, ...], stamps: tuple[Stamp, ...], resized: bool) -> tuple[_File, ...]:
    """Every image, from its header alone; read again where a file is another than it was."""
    with _opener(path) as open_file:
        return tuple(_header(path, name, open_file, resized) for name in names)


def _header(path: Path, name: str, open_file: Opener, resized: bool) -> _File:
    with open_image(path, name, open_file, large=resized) as image:
        channels, frames = 1, getattr(image, "n_frames", 1) if image.format in STACKS else 1
        if frames > 1:
            channels = pages(name, getattr(image, "tag_v2", {}), frames).channels
            if channels != frames or image.mode not in DEEP | {"L"}:
                raise InputError(
                    f"{path}: {name[-60:]} has {frames} frames; expected one image per file, or all in one .npy"
                )
        size = image.size[::-1] if _lies(image) else image.size
        grey = image.mode in GREY or (image.mode == "P" and _grey_palette(image))
        cut = image.mode not in DEEP and any("16" in str(part[-1]) for part in getattr(image, "tile", ()))
        return _File(name, image.mode, grey, image.has_transparency_data, size, cut, channels)


def _lies(image: Image.Image) -> bool:
    """Whether it has to be turned by a right angle; of a TIFF, Pillow tells the size as it is shown."""
    if image.format == "TIFF" or image.info.keys().isdisjoint(TURNED):
        return False
    return image.getexif().get(ORIENTATION, 1) in range(5, 9)


def _grey_palette(image: Image.Image) -> bool:
    """Whether all colours of its palette are greys; read from the header where that is possible, for it is quick."""
    palette = image.palette
    if palette is not None and palette.rawmode == "RGB":
        values = np.frombuffer(bytes(palette.palette), np.uint8)
    else:
        values = np.array(image.getpalette("RGB") or [], np.uint8)
    colours = values[: len(values) // 3 * 3].reshape(-1, 3)
    return bool((colours == colours[:, :1]).all())


@contextmanager
def _opener(path: Path) -> Iterator[Opener]:
    """What opens one of the files under a folder or in a zip."""
    if path.is_dir():
        yield lambda name: open_regular(path / name)
        return
    with open_zip(path) as archive:
        stored = stored_names(archive.namelist())
        yield lambda name: _member(path, archive, stored[name])


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    import io

    info = archive.getinfo(name)
    check_unpacked(path, name[-30:], info.file_size, info.compress_size)
    with archive.open(name) as file:
        content = file.read(MEMBER + 1)
    if len(content) > MEMBER:
        raise InputError(f"{path}: {name[-60:]} unpacks to more than {MEMBER >> 20} MiB; that is not an ordinary image")
    return io.BytesIO(content)


@contextmanager
def open_image(path: Path, name: str, open_file: Opener, *, large: bool = False) -> Iterator[Image.Image]:
    """An image opened by one of the known decoders; whatever goes wrong with it names the file.

    It may have `Image.MAX_IMAGE_PIXELS`, 89 million, and twice as many where it is ``large`` and will be resized.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings(), open_file(name) as file:
            warnings.simplefilter("ignore")
            warnings.simplefilter("ignore" if large else "error", Image.DecompressionBombWarning)
            with Image.open(file, formats=FORMATS) as image:
                if large and _huge(image) and image.has_transparency_data:  # four copies of it would be held at once
                    raise InputError(f"{str(path)[-60:]}: {name[-40:]} is large and transparent; save it as RGB")
                check_page(path / name, image)
                yield image
    except InputError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        most = (Image.MAX_IMAGE_PIXELS or 0) * (2 if large else 1)
        todo = "reduce its size" if large else "size=64 reads up to twice as many, and resizes"
        raise InputError(f"{str(path)[-60:]}: {name[-40:]} has more than {most:,} pixels; {todo}") from error
    except Exception as error:  # decoders raise all kinds on damaged files
        if _placeholder(name, open_file):
            raise InputError(f"{str(path)[-60:]}: {name[-50:]} {ABSENT}") from error
        why = str(error).splitlines()[0][:60] if str(error) else type(error).__name__
        if isinstance(error, UnidentifiedImageError):
            if refused := _refusal(name, open_file):
                raise InputError(f"{str(path / name)[-90:]}: {refused}") from error
            why = "it is not an image" if _holds_bytes(name, open_file) else "it is empty"
        raise InputError(f"{path}: cannot read image {name[-60:]} ({why}); repair or remove it") from error


def check_page(path: Path, image: Image.Image) -> None:
    """Raise an `InputError` where the page that the image is at would be read as other values than are stored."""
    if image.format == "TIFF" and (why := misread(getattr(image, "tag_v2", {}))):
        raise InputError(f"{str(path)[-90:]}: {why}")


def _refusal(name: str, open_file: Opener) -> str:
    with open_file(name) as file:
        if file.read(12)[4:8] == b"ftyp":  # phones and browsers give HEIC and AVIF any suffix
            return "it is HEIC, AVIF or a video, which are not read; convert it to JPEG or PNG"
        return refusal(file)


def _holds_bytes(name: str, open_file: Opener) -> bool:
    with open_file(name) as file:
        return bool(file.read(1))


def _placeholder(name: str, open_file: Opener) -> bool:
    with open_file(name) as file:
        return is_placeholder(file)


def _layout(path: Path, files: tuple[_File, ...], resized: bool) -> tuple[bool, tuple[int, int]]:
    """Whether the images are in colour, and their common (width, height)."""
    first = files[0]
    for file in files:
        if file.mode not in GREY | COLOUR | DEEP:
            raise InputError(f"{path}: {file.name[-60:]} has mode {file.mode}; save images as grey or 8-bit RGB")
        if file.channels != first.channels:
            names = f"{first.name[-30:]} has {first.channels} channels, {file.name[-30:]} {file.channels}"
            raise InputError(f"{str(path)[-40:]}: {names}; expected as many in each: keep them in a folder each")
        if (file.mode in DEEP) != (first.mode in DEEP):
            names = f"{first.name[-30:]} has mode {first.mode}, {file.name[-30:]} {file.mode}"
            raise InputError(f"{str(path)[-40:]}: {names}; expected images of 8 bits, or of more: convert some")
        if file.size != first.size and not resized:
            raise InputError(
                f"{str(path)[-50:]}: {first.name[-24:]} is {_by(first.size)}, {file.name[-24:]} {_by(file.size)}; "
                f"expected one size: {path.name[-24:]}:size=64 resizes"
            )
    return first.mode not in DEEP and not all(file.grey for file in files), first.size


def _read(path: Path, names: tuple[str, ...], form: Form, size: int | None, rows: Rows) -> Samples:
    shape = form.shape
    images = np.empty((len(rows), *shape), dtype=form.stored)
    with _opener(path) as open_file:
        for k, row in enumerate(rows):
            with open_image(path, names[row], open_file, large=size is not None) as image:
                array = _array(path / names[row], image, form, size)
            if array.shape != shape:
                raise InputError(f"{path}: {names[row][-60:]} has changed its size since it was listed; load it again")
            images[k] = array
    return images


def _array(path: Path, image: Image.Image, form: Form, size: int | None) -> Samples:
    """The pixels (c, h, w) of one file, whose channels are colours or pages."""
    frames, colour = getattr(image, "n_frames", 1), image.mode not in DEEP and form.shape[0] == 3
    planes = []
    for page in range(frames if frames == form.shape[0] > 1 else 1):
        image.seek(page)
        check_page(path, image)
        shown = _shown(image, "RGB" if colour and frames == 1 else "L", size) if form.bytes else _numbers(image, size)
        planes.append(np.atleast_3d(np.asarray(shown)).transpose(2, 0, 1))
    return np.concatenate(planes)


def _numbers(image: Image.Image, size: int | None) -> Image.Image:
    """A grey image of more than 8 bits, upright, resized where `size` says so."""
    from PIL import Image, ImageOps

    ImageOps.exif_transpose(image, in_place=True)
    return (
        image
        if size is None
        else (image if image.mode == "F" else image.convert("I").convert("F")).resize(
            (size, size), Image.Resampling.BILINEAR
        )
    )


def _huge(image: Image.Image) -> bool:
    """Whether it has more pixels than are read of an image that is not resized."""
    from PIL import Image

    return image.width * image.height > (Image.MAX_IMAGE_PIXELS or 0)


def _shown(image: Image.Image, mode: str, size: int | None) -> Image.Image:
    """The image as a viewer shows it on white, in that mode, resized where `size` says so."""
    from PIL import Image, ImageOps

    if size is not None and _huge(image):
        image.draft(mode, (2 * size, 2 * size))  # a JPEG is decoded at a fraction of its size
    ImageOps.exif_transpose(image, in_place=True)
    if image.has_transparency_data:
        clear = image if image.mode == "RGBA" else image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), clear)
    pixels = image if image.mode == mode else image.convert(mode)
    return pixels if size is None else pixels.resize((size, size), Image.Resampling.BILINEAR)


def _without_common(names: list[str]) -> tuple[str, ...]:
    """Label names without the folders that all of them lie in."""
    parts = [PurePosixPath(name).parts for name in names]
    depth = 0
    while all(len(p) > depth + 1 for p in parts) and len({p[depth] for p in parts}) == 1:
        depth += 1
    return tuple("/".join(p[depth:]) for p in parts)


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"
