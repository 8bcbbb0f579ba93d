"""What a few megabytes may cost: bombs are refused, or looked at a part at a time, in every kind of file."""

import gzip
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from toy import write_run

from latentlab.data import check, load
from latentlab.errors import InputError
from latentlab.runs.comparison import compare
from latentlab.runs.history import last_entry, read_history, safetensors_metadata
from latentlab.runs.study import Study
from latentlab.system import limits
from latentlab.system.files import read_json
from latentlab.system.limits import HARMLESS, RATIO, check_unpacked
from latentlab.training import plan

ROWS, SIDE = 128, 1024  # 128 MiB of zeros
MEASURE = """
import re, resource, sys
from latentlab.cli import run
from latentlab.system.quarantine import _READER
status = run(sys.argv[1:])
_READER.end()
own = int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])
print(status, max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) // 1024)
"""


def npz(folder: Path) -> Path:
    np.savez_compressed(folder / "zeros.npz", images=np.zeros((ROWS, SIDE, SIDE), np.uint8))
    return folder / "zeros.npz"


def idx(folder: Path) -> Path:
    (folder / "idx").mkdir()
    header = b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (ROWS, SIDE, SIDE))
    with gzip.open(folder / "idx" / "train-images-idx3-ubyte.gz", "wb", compresslevel=1) as file:
        file.write(header)
        for _ in range(ROWS):
            file.write(bytes(SIDE * SIDE))
    return folder / "idx"


def pictures(folder: Path) -> Path:
    content = io.BytesIO()
    Image.new("RGB", (2000, 2000)).save(content, "PNG")
    with zipfile.ZipFile(folder / "pictures.zip", "w") as archive:
        for number in range(40):
            archive.writestr(f"{number}.png", content.getvalue())
    return folder / "pictures.zip"


def told(*words: object) -> tuple[int, int, str]:
    """Exit status and peak memory in MiB of a command, its import included, and what it said."""
    line = [sys.executable, "-c", MEASURE, *map(str, words)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=100)
    status, size = map(int, done.stdout.splitlines()[-1].split())
    return status, size, done.stderr


@pytest.mark.parametrize("make", [npz, idx])
def test_what_unpacks_to_far_more_than_it_has_is_refused(tmp_path: Path, make: object) -> None:
    path = make(tmp_path)  # type: ignore[operator]
    for read in (lambda: load(path)[:1], lambda: compared(check(path))):
        with pytest.raises(InputError, match="declares 134,217,728 bytes, over 200 times") as caught:
            read()
        assert "\n" not in str(caught.value)
    status, size, said = told("data", "check", path)
    assert status == 2
    assert size < 150
    assert "save it uncompressed" in said


def compared(findings: list) -> None:
    raise InputError(findings[-1]["problem"])


def test_large_pictures_are_looked_at_a_few_at_a_time(tmp_path: Path) -> None:
    """Forty of them are 480 MB."""
    status, size, _ = told("data", "check", pictures(tmp_path))
    assert status == 0
    assert size < 300


@given(st.integers(0, 1 << 33), st.integers(0, 1 << 30))
def test_what_an_array_may_announce(announced: int, packed: int) -> None:
    sound = announced <= max(HARMLESS, RATIO * packed) and announced <= limits.memory() // 2
    path, what = Path("x" * 300), "images" * 20
    if sound:
        check_unpacked(path, what, announced, packed)
        return
    with pytest.raises(InputError) as caught:
        check_unpacked(path, what, announced, packed)
    assert len(str(caught.value)) <= 200


def test_sound_arrays_that_pack_well_are_read(tmp_path: Path) -> None:
    masks = np.zeros((60, 1000, 1000), np.uint8)  # 60 MB
    np.savez_compressed(tmp_path / "masks.npz", images=masks)
    assert len(load(tmp_path / "masks.npz")) == 60


# Runs and studies


def test_the_last_entry_is_that_of_the_whole_history(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    whole = b'{"step": 1}\n{"step": 2, "rate": [0.5]}\n'
    torn = b'{"step": 3, "loss": 1.25}'
    for length in range(len(torn) + 1):
        path.write_bytes(whole + torn[:length])
        assert last_entry(path) == read_history(path)[-1]
    path.write_bytes(b"")
    assert last_entry(path) == {}
    path.write_bytes(b"\n".join(b'{"step": %d}' % step for step in range(10 * limits.LINE // 10)))
    assert last_entry(path) == {"step": limits.LINE - 1}
    path.write_bytes(whole + b"nothing\n")
    with pytest.raises(InputError, match="ends in a line that is not a JSON entry of a step"):
        last_entry(path)


def test_a_history_that_is_too_long_takes_no_study_down(tmp_path: Path) -> None:
    """Of a run, `compare` reads the last line alone; who reads all of it is told."""
    for seed in (0, 1):
        write_run(tmp_path / "study" / f"b4-{seed}", 4.0, seed)
    path = tmp_path / "study" / "b4-0" / "history.jsonl"
    path.write_bytes(b'{"step":1}\n' * (limits.LINES + 2) + path.read_bytes().splitlines()[-1])
    table = compare(Study(tmp_path / "study"))
    assert list(table["state"]) == ["finished", "finished"]
    with pytest.raises(InputError, match="more than 500,000 lines"):
        read_history(path)


@pytest.mark.parametrize("value", ["[[]]", "[{}]", "{}"])
def test_a_step_holds_numbers_and_lists_of_them(tmp_path: Path, value: str) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(f'{{"step": 1, "x": {value}}}\n{{"step": 2}}\n')
    with pytest.raises(InputError, match="line 1 is not a JSON entry of a step"):
        read_history(path)


def test_one_line_of_any_length_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentlab.runs.history.LINE", 100)
    (tmp_path / "history.jsonl").write_text('{"step": 1, "x": [' + "0," * 100 + "0]}\n")
    with pytest.raises(InputError, match="one of more than 100 bytes"):
        read_history(tmp_path / "history.jsonl")


def test_json_of_a_million_lists(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[" + "[]," * 1_000_000 + "0]")
    with pytest.raises(InputError, match="more than 500,000"):
        read_json(tmp_path / "x.json")


def test_a_header_of_a_million_lists(tmp_path: Path) -> None:
    header = b'{"__metadata__": {"step": "1"}, "x": [' + b"[]," * 1_000_000 + b"0]}"
    (tmp_path / "x.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(InputError, match="not a safetensors file of a run"):
        safetensors_metadata(tmp_path / "x.safetensors")


def test_a_study_file_of_many_values(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(f'data = "digits"\nbeta = [{", ".join(map(str, range(1, 200_001)))}]\n')
    with pytest.raises(InputError, match="more than the 262,144 bytes"):
        plan.read_plan(path)


@pytest.mark.parametrize("start", ["", "["])
def test_a_key_of_many_parts(tmp_path: Path, start: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(f"{start}a{'.a' * 100_000}")
    with pytest.raises(InputError, match="has 100,000 dots"):
        plan.read_plan(path)


def test_a_study_of_too_many_members() -> None:
    digits = load("digits")
    for settings in (
        {"gamma": list(range(1, 20_000))},
        {key: list(range(1, 200)) for key in ("lambda_od", "lambda_d")},
    ):
        with pytest.raises(InputError, match="expected at most 10,000: split the sweep"):
            plan.members(digits, objective="factor-vae", settings=settings)
    with pytest.raises(InputError, match="give 20,000 runs"):
        plan.members(digits, list(range(1, 21)), seeds=1000)


def test_notes_of_many_rows_can_be_read(tmp_path: Path) -> None:
    """Twenty selections of the most rows that one may have, as `name_selection` writes them."""
    rows = {f"selection {k}": {"rows": list(range(100_000)), "note": ""} for k in range(20)}
    (tmp_path / "notes.json").write_text(json.dumps({"selections": rows}, indent=1))
    assert len(read_json(tmp_path / "notes.json")["selections"]) == 20
