"""Folders of images."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from latentlab.data import check, load
from latentlab.errors import InputError, MissingError

RNG = np.random.default_rng(0)


def save(path: Path, *shape: int) -> np.ndarray:
    pixels = RNG.integers(0, 256, shape, dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return pixels


@pytest.mark.parametrize("suffix", ["png", "bmp", "webp"])
def test_flat_colour(tmp_path: Path, suffix: str) -> None:
    options = {"lossless": True} if suffix == "webp" else {}
    wanted = []
    for i in range(12):
        pixels = RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{i}.{suffix}", **options)
        wanted.append(pixels.transpose(2, 0, 1))
    data = load(tmp_path)
    assert data.shape == (12, 3, 6, 5)
    assert data.labels is None
    # 10 comes after 9, and rows may be asked for in any order.
    assert (data[:] == np.stack(wanted)).all()
    assert (data[[11, 2]] == np.stack([wanted[11], wanted[2]])).all()


def test_a_folder_per_label(tmp_path: Path) -> None:
    pixels = {
        f"{label}/{i}.png": save(tmp_path / label / f"{i}.png", 4, 4) for label in ("cat", "dog") for i in range(3)
    }
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    (tmp_path / "cat" / ".hidden.png").write_bytes(b"no image")
    data = load(tmp_path)
    assert data.shape == (6, 1, 4, 4)
    assert data.labels is not None
    assert data.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert data.label_names == ("cat", "dog")
    assert (data[4][0, 0] == pixels["dog/1.png"]).all()


def test_a_zip_is_a_folder(tmp_path: Path) -> None:
    for label in ("a", "b"):
        for i in range(2):
            save(tmp_path / "top" / label / f"{i}.png", 4, 4)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for file in sorted((tmp_path / "top").rglob("*.png")):
            archive.write(file, file.relative_to(tmp_path))
    zipped, folder = load(tmp_path / "x.zip"), load(tmp_path / "top")
    assert (zipped[:] == folder[:]).all()
    assert zipped.label_names == folder.label_names == ("a", "b")


def test_jpeg_and_binary_images_are_read(tmp_path: Path) -> None:
    Image.new("L", (8, 8), 77).save(tmp_path / "a.jpg")
    Image.new("1", (8, 8), 1).save(tmp_path / "b.png")
    data = load(tmp_path)
    assert abs(int(data[0].mean()) - 77) <= 1
    assert data[1].min() == 255


def test_two_sizes_are_refused_by_name_and_resized_on_request(tmp_path: Path) -> None:
    save(tmp_path / "a.png", 8, 8)
    save(tmp_path / "b.png", 8, 9)
    with pytest.raises(InputError, match=r"a\.png is 8×8, b\.png 9×8.*:size=64") as caught:
        load(tmp_path)
    assert len(str(caught.value)) < 200
    data = load(f"{tmp_path}:size=16")
    assert data[:].shape == (2, 1, 16, 16)
    assert data.source["size"] == 16


def test_resizing_averages(tmp_path: Path) -> None:
    board = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((4, 4))).astype(np.uint8) * 200
    Image.fromarray(board).save(tmp_path / "a.png")
    small = load(f"{tmp_path}:size=2")[0]
    assert np.abs(small.astype(float) - 100).max() < 12


def test_grey_among_colour_is_read_as_colour_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    grey, colour = save(tmp_path / "a.png", 8, 8), save(tmp_path / "b.png", 8, 8, 3)
    data = load(tmp_path)
    assert (data[0][0] == np.stack([grey] * 3)).all()
    assert (data[1][0] == colour.transpose(2, 0, 1)).all()
    assert "1 of 2 images are grey and the others in colour: all are read as colour" in caplog.text


@pytest.mark.parametrize("suffix", ["png", "bmp", "gif", "tiff"])
def test_a_palette_of_greys_is_grey(tmp_path: Path, suffix: str) -> None:
    grey = np.repeat(np.arange(0, 256, 16, dtype=np.uint8), 16).reshape(16, 16)
    Image.fromarray(grey).save(tmp_path / "a.png")
    indexed = Image.fromarray(grey // 16, "P")
    indexed.putpalette([value for level in range(0, 256, 16) for value in (level,) * 3])
    indexed.save(tmp_path / f"b.{suffix}")
    data = load(tmp_path)
    assert data.shape == (2, 1, 16, 16)
    assert (data[:] == grey).all()
    assert data.remarks == ()


def test_links_to_folders_are_followed_and_none_is_read_twice(tmp_path: Path) -> None:
    for label in ("elsewhere/cats", "data/dogs"):
        for k in range(3):
            save(tmp_path / label / f"{k}.png", 4, 4)
    data = tmp_path / "data"
    (data / "cats").symlink_to(tmp_path / "elsewhere/cats")
    (data / "dogs" / "all").symlink_to(data)  # a circle
    (data / "a link").symlink_to(data / "dogs")
    (data / "dogs" / "9.png").symlink_to(tmp_path / "elsewhere/cats/0.png")
    read = load(data)
    assert (len(read), read.label_names) == (7, ("cats", "dogs"))
    assert read.remarks == ("2 of 9 files skipped: 2 link to a folder that is already read",)
    assert (read[6] == read[0]).all()


def test_links_to_images_that_were_not_fetched_are_an_error(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "0.png", 4, 4)
    (tmp_path / "dog").mkdir()
    (tmp_path / "dog" / "0.png").symlink_to("../.git/annex/objects/0")
    with pytest.raises(InputError, match=r"1 links are broken, the first is dog/0\.png; fetch"):
        load(tmp_path)
    (tmp_path / "dog" / "0.png").unlink()
    (tmp_path / "horse").symlink_to("nowhere")
    with pytest.raises(InputError, match="the first is horse"):
        load(tmp_path)
    (tmp_path / "horse").unlink()
    (tmp_path / "notes.txt").symlink_to("nowhere")
    assert load(tmp_path).remarks == ("1 of 2 files skipped: 1 broken link", "1 folder is empty: dog")


@pytest.mark.parametrize(
    "content", [b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", b"/annex/objects/X"]
)
def test_a_placeholder_is_named_as_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(
        InputError, match=r"a\.png is a placeholder for a file that was not downloaded; fetch it: git lfs pull"
    ):
        load(tmp_path)


def test_what_is_passed_over_is_counted_aloud(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for k in range(4):
        Image.fromarray(RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(tmp_path / f"{k}.jfif", format="JPEG")
    for k in range(3):
        (tmp_path / f"IMG_{k}.HEIC").write_bytes(b"heic")
    (tmp_path / "cats.dvc").write_text("outs:")
    for name in ("@eaDir", "__MACOSX", ".cache"):
        save(tmp_path / name / "a.png", 2, 2)
    data = load(tmp_path)
    assert (len(data), data.labels) == (4, None)
    assert f"{tmp_path.name}: 4 of 8 files skipped: 3 .heic, 1 .dvc" in caplog.text
    for k in range(4):
        (tmp_path / f"{k}.jfif").unlink()
    with pytest.raises(MissingError, match=r"holds no images \(3 \.heic, 1 \.dvc\); \.heic is a picture"):
        load(f"{tmp_path}/")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "RGB"])
def test_what_is_transparent_is_white(tmp_path: Path, mode: str) -> None:
    if mode in ("RGBA", "LA"):
        image = Image.new(mode, (4, 4), (0,) * len(mode))
        image.paste((0,) * (len(mode) - 1) + (255,), (1, 1, 3, 3))  # a black square on nothing
        image.save(tmp_path / "a.png")
    else:
        image = Image.new(mode, (4, 4), 7 if mode != "RGB" else (7, 7, 7))
        if mode == "P":
            image.putpalette([0] * 768)
        image.paste(0 if mode != "RGB" else (0, 0, 0), (1, 1, 3, 3))
        image.save(tmp_path / "a.png", transparency=7 if mode != "RGB" else (7, 7, 7))
    wanted = np.full((4, 4), 255, np.uint8)
    wanted[1:3, 1:3] = 0
    data = load(tmp_path)
    assert (data[0] == wanted).all()
    assert "alpha channel" in data.remarks[0]


def test_transparency_blends_with_white(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, (8, 8, 4), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    alpha = pixels[..., 3:] / 255
    wanted = pixels[..., :3] * alpha + 255 * (1 - alpha)
    assert np.abs(load(tmp_path)[0][0].transpose(1, 2, 0) - wanted).max() <= 1


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tiff"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_stand_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    image = Image.new("RGB", (24, 16), "white")
    image.paste("black", (0, 0, 12, 8))
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / f"a.{suffix}", exif=exif)
    turned = ImageOps.exif_transpose(Image.open(tmp_path / f"a.{suffix}"))
    data = load(tmp_path)
    assert data.shape[2:] == turned.size[::-1] == ((16, 24) if orientation < 5 else (24, 16))
    assert (data[0][0].transpose(1, 2, 0) == np.asarray(turned.convert("RGB"))).all()


def test_a_portrait_among_landscapes_is_of_another_size(tmp_path: Path) -> None:
    image = Image.new("RGB", (24, 16))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.png")
    image.save(tmp_path / "b.png", exif=exif)
    with pytest.raises(InputError, match=r"a\.png is 24×16, b\.png 16×24"):
        load(tmp_path)


@pytest.mark.parametrize("parts", [("train", "test"), ("Training", "Testing"), ("train", "val", "test")])
def test_train_and_test_are_splits_and_their_folders_classes(tmp_path: Path, parts: tuple[str, ...]) -> None:
    for part in parts:
        for label in ("cat", "dog"):
            for k in range(3):
                save(tmp_path / "pets" / part / label / f"{k}.png", 4, 4)
    for path in (tmp_path, tmp_path / "pets"):
        data = load(path)
        assert data.label_names == ("cat", "dog")
        assert set(data.splits) == {part.lower().removesuffix("ing") for part in parts}
        test = data.split("test")
        assert test.labels is not None
        assert test.labels.tolist() == [0, 0, 0, 1, 1, 1]
        named = next(part for part in parts if part.lower().startswith("test"))
        wanted = np.asarray(Image.open(tmp_path / "pets" / named / "dog" / "2.png"))
        assert (test[5][0, 0] == wanted).all()


def test_splits_with_and_without_classes(tmp_path: Path) -> None:
    for name in ("train/0.png", "train/1.png", "test/0.png"):
        save(tmp_path / name, 4, 4)
    flat = load(tmp_path)
    assert flat.labels is None
    assert flat.splits == {"train": range(1, 3), "test": range(1)}
    save(tmp_path / "train" / "cat" / "0.png", 4, 4)
    mixed = load(tmp_path)
    assert mixed.label_names == ("cat", "unlabelled")
    assert "3 of 4 images are not in a class folder" in mixed.remarks[0]
    save(tmp_path / "horse" / "0.png", 4, 4)
    assert not load(tmp_path).splits  # a folder that is no part: all are classes


def test_a_zip_with_backslashes_keeps_its_folders(tmp_path: Path) -> None:
    pixels = {name: save(tmp_path / name, 4, 4) for name in ("cat/0.png", "cat/1.png", "dog/0.png")}
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name in pixels:
            archive.writestr(name.replace("/", "\\"), (tmp_path / name).read_bytes())
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert "cat\\0.png" in archive.namelist()
    data = load(tmp_path / "x.zip")
    assert data.label_names == ("cat", "dog")
    assert (data[:][:, 0] == np.stack(list(pixels.values()))).all()


def test_a_large_image_is_read_where_it_is_resized(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for suffix in ("png", "jpg"):
        Image.new("L", (100, 90), 7).save(tmp_path / f"a.{suffix}")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 6000)
    with pytest.raises(InputError, match=r"a\.jpg has more than 6,000 pixels; size=64 reads up to twice as many"):
        load(tmp_path)
    assert (load(tmp_path, size=8)[:] == 7).all()
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4000)
    Image.new("RGBA", (100, 70), (0, 0, 0, 9)).save(tmp_path / "a.png")
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(InputError, match=r"a\.png is large and transparent; save it as RGB"):
        load(tmp_path, size=8)
    Image.new("L", (101, 90), 7).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"has more than 8,000 pixels; reduce its size"):
        load(tmp_path, size=8)


def test_sixteen_bits_are_kept(tmp_path: Path) -> None:
    image = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000
    Image.fromarray(image).save(tmp_path / "a.png")
    assert np.array_equal(load(tmp_path)[0][0, 0], image)


@pytest.mark.parametrize("content", [b"", b"no image at all", b"\x89PNG\r\n\x1a\n" + bytes(20)])
def test_what_is_no_image_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(InputError, match=r"bad\.png"):
        load(tmp_path)


def test_an_image_cut_short_is_named_when_read(tmp_path: Path) -> None:
    save(tmp_path / "a.png", 64, 64)
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(content[: len(content) // 2])
    data = load(tmp_path)
    with pytest.raises(InputError, match=r"a\.png"):
        data[0]


def test_formats_off_the_list_are_not_decoded(tmp_path: Path) -> None:
    """An EPS in a PNG's clothes would start an interpreter."""
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n")
    with pytest.raises(InputError, match=r"a\.png"):
        load(tmp_path)


def test_a_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "a.png", 100, 100)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 6000)
    with pytest.raises(InputError, match="pixels"):
        load(tmp_path)


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="holds no images"):
        load(tmp_path)
    (tmp_path / "x.zip").write_bytes(b"no zip")
    with pytest.raises(InputError, match="not a complete"):
        load(tmp_path / "x.zip")


def test_a_wrong_size_option(tmp_path: Path) -> None:
    save(tmp_path / "a.png", 8, 8)
    for size in ("0", "100000", "big"):
        with pytest.raises(InputError, match="size="):
            load(f"{tmp_path}:size={size}")


@pytest.mark.shared
def test_real_omniglot(shared: Path) -> None:
    data = load(f"{shared / 'data' / 'omniglot_small1.zip'}:size=28")
    assert data.shape == (2720, 1, 28, 28)
    assert len(data.label_names) == 136
    assert data.labels is not None
    assert set(np.bincount(data.labels)) == {20}
    # Dark strokes on a white page.
    assert data[:100].mean() > 200


def test_a_file_of_many_pictures_is_not_taken_for_its_first(tmp_path: Path) -> None:
    frames = [Image.fromarray(RNG.integers(0, 256, (4, 4), dtype=np.uint8)) for _ in range(3)]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match=r"x\.gif has 3 frames; expected one image per file"):
        load(tmp_path)


def test_a_folder_that_changed_is_listed_again(tmp_path: Path) -> None:
    """In one process, as in a notebook or the dashboard: the top folder itself is as it was."""
    for label in ("cat", "dog"):
        save(tmp_path / label / "0.png", 4, 4)
    assert load(tmp_path).shape == (2, 1, 4, 4)
    save(tmp_path / "dog" / "1.png", 4, 4)
    assert load(tmp_path).shape == (3, 1, 4, 4)
    for name in ("cat/0", "dog/0", "dog/1"):
        save(tmp_path / f"{name}.png", 6, 6, 3)
    assert load(tmp_path).shape == (3, 3, 6, 6)


def test_images_beside_class_folders_are_unlabelled(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "a.png", 8, 8)
    save(tmp_path / "b.png", 8, 8)
    data = load(str(tmp_path))
    assert data.label_names == ("cat", "unlabelled")
    assert "1 of 2 images are not in a class folder" in data.remarks[0]


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tiff"])
def test_an_animation_is_no_image(tmp_path: Path, suffix: str) -> None:
    first, *others = [Image.fromarray(np.full((8, 8, 3), value, np.uint8)) for value in (0, 100, 200)]
    first.save(tmp_path / f"a.{suffix}", save_all=True, append_images=others)
    with pytest.raises(InputError, match="has 3 frames; expected one image per file"):
        load(str(tmp_path))


def test_a_text_called_an_image_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("hello")
    with pytest.raises(InputError, match=r"cannot read image a\.png \(it is not an image\); repair or remove it"):
        load(str(tmp_path))


def make(top: Path, *names: str) -> Path:
    for name in names:
        save(top / name, 4, 4)
    return top


@pytest.mark.parametrize(
    ("names", "splits", "classes", "labels"),
    [
        (
            ["seg_test/seg_test/sea/1.png", "seg_train/seg_train/ice/1.png", "seg_train/seg_train/sea/1.png"],
            {"train": range(1, 3), "test": range(1)},
            ("ice", "sea"),
            [1, 0, 1],
        ),
        (
            ["test/test/1.png", "train/train/cat/1.png", "train/train/dog/1.png"],
            {"train": range(1, 3), "test": range(1)},
            ("cat", "dog", "unlabelled"),
            [2, 0, 1],
        ),
        (["test1/1.png", "train/1.png"], {"train": range(1, 2), "test": range(1)}, (), None),
        (
            ["test_set/cat/1.png", "training_set/cat/1.png", "training_set/dog/1.png"],
            {"train": range(1, 3), "test": range(1)},
            ("cat", "dog"),
            [0, 0, 1],
        ),
        (["train2017/1.png", "val2017/1.png"], {"train": range(1), "val": range(1, 2)}, (), None),
        (["latest/1.png", "train/1.png"], {}, ("latest", "train"), [0, 1]),
        (["test_masks/1.png", "train/1.png"], {}, ("test_masks", "train"), [0, 1]),
        (["test/1.png", "testing/1.png"], {}, ("test", "testing"), [0, 1]),
    ],
)
def test_folders_of_splits_under_the_names_that_people_give_them(
    tmp_path: Path, names: list[str], splits: dict[str, range], classes: tuple[str, ...], labels: list[int] | None
) -> None:
    data = load(make(tmp_path / "top", *names))
    assert dict(data.splits) == splits
    assert data.label_names == classes
    assert (None if data.labels is None else data.labels.tolist()) == labels


def test_classes_whose_paths_end_alike_are_asked_about(tmp_path: Path) -> None:
    top = make(tmp_path / "top", *(f"{a}/{b}/1.png" for a in ("cat", "dog") for b in ("day", "night")))
    (remark,) = load(top).remarks
    assert remark.startswith("4 classes are called by their paths, 4 of them end alike (cat/day, dog/day)")
    assert load(make(tmp_path / "other", "a/x/1.png", "b/y/1.png")).remarks == ()


def test_a_phones_picture_under_another_suffix_is_named(tmp_path: Path) -> None:
    save(tmp_path / "a.png", 4, 4)
    (tmp_path / "b.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    with pytest.raises(InputError, match=r"b\.jpg: it is HEIC, AVIF or a video.*convert it to JPEG or PNG"):
        load(tmp_path)


def test_what_leads_out_of_a_zip_is_counted(tmp_path: Path) -> None:
    save(tmp_path / "a.png", 4, 4)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(tmp_path / "a.png", "cat/a.png")
        archive.write(tmp_path / "a.png", "../dog/a.png")
    data = load(tmp_path / "x.zip")
    assert len(data) == 1
    assert data.remarks == ("1 of 2 files skipped: 1 with a path out of the archive",)


def test_an_image_that_is_too_long_is_named_with_the_way_out(tmp_path: Path) -> None:
    save(tmp_path / "a.png", 5000, 2)
    with pytest.raises(InputError, match=r"a\.png is 2×5000; at most 4096 pixels a side are read: PATH:size=64"):
        load(tmp_path)
    assert load(tmp_path, size=8).shape == (1, 1, 8, 8)


def test_classes_that_differ_in_capitals_alone_are_said(tmp_path: Path) -> None:
    for name in ("Cat", "cat", "dog"):
        save(tmp_path / name / "0.png", 6, 6)
    told = "classes: 'Cat' and 'cat' are two levels, which differ in capitals, spaces or encoding alone"
    assert told in load(tmp_path).remarks


def keep(path: Path, grey: int = 0) -> None:
    """Write an image of one grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 4), grey, np.uint8)).save(path)


@pytest.mark.parametrize(("one", "other", "stems", "said"), [
    ("images", "masks", ["0", "1", "2", "3"], True), ("train_img", "train_gt", ["0", "1", "2", "3"], True),
    ("A", "B", ["0", "1", "2", "x0", "x1"], False),
    ("cat", "dog", ["p_01", "p_02", "p_03", "p_04"], False),
    ("day", "night", ["p9", "p12", "p40", "p77"], True), ("A", "B", ["ulm", "bonn", "jena", "kiel"], True),
])  # fmt: skip
def test_two_folders_that_go_together_are_asked_about(
    tmp_path: Path, one: str, other: str, stems: list[str], said: bool
) -> None:
    for folder in (one, other):
        for stem in stems:
            keep(tmp_path / folder / f"{stem}.png")
    told = f"{min(one, other)} and {max(one, other)} are read as 2 classes; if one holds the masks"
    assert [told in each for each in load(tmp_path).remarks] == [True] * said


def test_masks_beside_their_images_and_folders_in_a_class_are_said(tmp_path: Path) -> None:
    for name in ("a.png", "a_mask.png", "b.png", "b_mask.png"):
        keep(tmp_path / "x" / name)
    assert "2 of 4 images are called like another and _mask" in load(tmp_path / "x").remarks[0]
    for name in ("cat/a.png", "cat/more/b.png", "dog/c.png"):
        keep(tmp_path / "y" / name)
    assert load(tmp_path / "y").remarks == ("cat holds images and the folder cat/more, which is a class of its own",)


def test_labels_in_a_table_or_beside_images_are_said_not_to_be_read(tmp_path: Path) -> None:
    for folder, notes in (("kaggle", ["train.csv"]), ("beside", ["1.txt", "2.txt"]), ("few", ["1.txt"])):
        for name in ("1.png", "2.png"):
            keep(tmp_path / folder / name)
        for note in notes:
            (tmp_path / folder / note).write_text("id,label\n")
    said = {name: load(tmp_path / name).remarks[1:] for name in ("kaggle", "beside", "few")}
    told = "labels are not read from {}, but from folders: one folder of images for each label"
    assert said == {"kaggle": (told.format(".csv"),), "beside": (told.format(".txt"),), "few": ()}
    for name in ("a/1.png", "b/2.png", "train.csv"):
        keep(tmp_path / "classes" / name) if name.endswith("png") else (tmp_path / "classes" / name).write_text("")
    assert len(load(tmp_path / "classes").remarks) == 1


def test_images_in_two_splits_are_found_by_check(tmp_path: Path) -> None:
    for k, name in enumerate(["train/0.png", "train/1.png", "train/2.png", "test/3.png"]):
        keep(tmp_path / name, 40 * k)
    keep(tmp_path / "test" / "4.png")
    findings = {each["what"]: each for each in check(tmp_path)}
    assert findings["duplicates"]["found"] == "1 of 5 images repeat another"
    assert findings["duplicates"]["problem"] == "1 are in both train and test"


def test_an_empty_file_and_a_folder_of_another_format_are_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.heic").write_bytes(b"x")
    with pytest.raises(InputError, match=r"\.heic is a picture, which is not read; convert"):
        load(tmp_path / "a")
    (tmp_path / "a" / "1.png").write_bytes(b"")
    with pytest.raises(InputError, match="it is empty"):
        load(tmp_path / "a")
