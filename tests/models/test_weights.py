"""Weights from strangers: tensors come through, code never runs, and what is wrong is said in one line."""

import io
import pickle
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from latentlab.errors import InputError, MissingError
from latentlab.models.weights import LIMIT, read_weights


class Canary:
    """Unpickled by an unrestricted reader, it leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def legacy(content: Any, path: Path) -> None:
    torch.save(content, path, _use_new_zipfile_serialization=False)


def bare(content: Any, path: Path) -> None:
    path.write_bytes(pickle.dumps(content))


def numpy_objects(content: Any, path: Path) -> None:
    np.save(path.with_suffix(".npy"), np.array([content], dtype=object), allow_pickle=True)
    path.with_suffix(".npy").rename(path)


def tar(content: Any, path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            data = pickle.dumps(content)
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


WRITERS: dict[str, Callable[[Any, Path], None]] = {
    "zip": torch.save, "legacy": legacy, "bare": bare, "tar": tar, "objects": numpy_objects
}  # fmt: skip


@pytest.mark.parametrize("writer", list(WRITERS))
@pytest.mark.parametrize("place", ["alone", "value", "key", "beside", "metadata"])
def test_no_canary_fires(tmp_path: Path, writer: str, place: str) -> None:
    song = tmp_path / "song"
    canary, tensor = Canary(song), torch.zeros(2)
    state: Any = OrderedDict(w=tensor)
    if place == "metadata":
        state._metadata = canary  # where state_dict() keeps versions
    content = {
        "alone": canary,
        "value": {"w": tensor, "x": canary},
        "key": {("w", canary): tensor},
        "beside": {"state_dict": {"w": tensor}, "hyper_parameters": canary},
        "metadata": state,
    }[place]
    WRITERS[writer](content, tmp_path / "model.pt")
    if writer == "zip" and place in ("beside", "metadata"):  # the weights themselves are whole: the rest stays unread
        assert read_weights(tmp_path / "model.pt")["w"].tolist() == [0, 0]
        assert not song.exists()
        return
    with pytest.raises(InputError) as caught:
        read_weights(tmp_path / "model.pt")
    assert not song.exists()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 200


def test_the_canary_would_fire(tmp_path: Path) -> None:
    """The test above can fail: an unrestricted reader runs it."""
    torch.save({"x": Canary(tmp_path / "song")}, tmp_path / "model.pt")
    torch.load(tmp_path / "model.pt", weights_only=False)
    assert (tmp_path / "song").exists()


STATE = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).state_dict()


@pytest.mark.parametrize("form", ["safetensors", "zip", "legacy", "inside", "lightning", "module"])
def test_tensors_come_through(tmp_path: Path, form: str) -> None:
    path = tmp_path / {"safetensors": "m.safetensors", "lightning": "m.ckpt", "legacy": "m.pth"}.get(form, "m.bin")
    if form == "safetensors":
        save_file(STATE, path)
    elif form == "legacy":
        legacy(STATE, path)
    else:
        beside = {"epoch": 3, "optimizer": {"state": {}, "param_groups": [{"lr": 1e-3}]}}
        key = {"inside": "model_state_dict", "lightning": "state_dict", "module": "model"}.get(form)
        torch.save(STATE if key is None else {key: STATE, **beside}, path)
    found = read_weights(path)
    assert found.keys() == STATE.keys()
    for name, tensor in STATE.items():
        torch.testing.assert_close(found[name], tensor, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (nn.Linear(2, 2), r"Python objects besides tensors \(torch\.nn\.modules\.linear\.Linear\)"),
        ({"lr": 0.1}, "not contain a state dict"),
        ({}, "not contain a state dict"),
        ([torch.zeros(2)], "not contain a state dict"),
        (torch.zeros(2), "not contain a state dict"),
        ({"w": torch.zeros(2), "step": 3}, "not contain a state dict"),
        ({3: torch.zeros(2)}, "3 is not a named dense numeric tensor"),
        ({"w": torch.zeros(1).expand(1 << 40)}, "w claims 4,398,046,511,104 bytes"),
        ({"w": torch.eye(3).to_sparse()}, "w is not a named dense numeric tensor"),
        ({"w": torch.zeros(2, dtype=torch.complex64)}, "w is not a named dense numeric tensor"),
        ({"w": torch.zeros(2, device="meta")}, "w is not a named dense numeric tensor"),
    ],
)
def test_what_is_no_state_dict_is_refused(tmp_path: Path, content: Any, message: str) -> None:
    torch.save(content, tmp_path / "model.pt")
    with pytest.raises(InputError, match=message):
        read_weights(tmp_path / "model.pt")


@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors"])
def test_a_file_cut_off_anywhere_is_one_line(tmp_path: Path, form: str) -> None:
    path = tmp_path / ("m.safetensors" if form == "safetensors" else "m.pt")
    state = {"w": torch.arange(16.0)}
    save_file(state, path) if form == "safetensors" else WRITERS[form](state, path)
    whole = path.read_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 120)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError) as caught:
            read_weights(path)
        assert len(str(caught.value)) <= 200


@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors"])
def test_flipped_bytes_are_one_line_or_other_numbers(tmp_path: Path, form: str) -> None:
    """Whatever is flipped, there are tensors or an `InputError`, and nothing else."""
    path = tmp_path / ("m.safetensors" if form == "safetensors" else "m.pt")
    state = {"w": torch.arange(16.0), "v": torch.ones(2, 2)}
    save_file(state, path) if form == "safetensors" else WRITERS[form](state, path)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        damaged = bytearray(whole)
        for place in rng.integers(len(whole), size=3):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            found = read_weights(path)
        except InputError:
            refused += 1
        else:
            assert all(isinstance(tensor, torch.Tensor) for tensor in found.values())
    assert refused > 20


def test_an_archive_that_unpacks_to_more_is_refused(tmp_path: Path) -> None:
    torch.save({"w": torch.zeros(1 << 18)}, tmp_path / "plain.pt")
    with zipfile.ZipFile(tmp_path / "plain.pt") as plain, zipfile.ZipFile(tmp_path / "bomb.pt", "w") as bomb:
        for record in plain.infolist():
            bomb.writestr(record.filename, plain.read(record), zipfile.ZIP_DEFLATED)
    with pytest.raises(InputError, match="unpacks to 1,0"):
        read_weights(tmp_path / "bomb.pt")


def test_size_name_and_presence(tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / "m.pt")
    with pytest.raises(InputError, match="at most 10"):
        read_weights(tmp_path / "m.pt", limit=10)
    (tmp_path / "m.pt").rename(tmp_path / "m.h5")
    with pytest.raises(InputError, match=r"not a checkpoint; expected a name that ends in \.safetensors"):
        read_weights(tmp_path / "m.h5")
    with pytest.raises(MissingError, match="does not exist"):
        read_weights(tmp_path / "none.pt")
    assert LIMIT == 4 << 30


@pytest.mark.parametrize("suffix", [".PT", ".Pth", ".CKPT", ".BIN", ".pth.tar", ".PTH.TAR", ".tar", ".SAFETENSORS"])
def test_any_spelling_of_a_suffix(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"model{suffix}"
    save_file(STATE, path) if suffix.lower() == ".safetensors" else torch.save({"epoch": 2, "state_dict": STATE}, path)
    assert read_weights(path).keys() == STATE.keys()


OTHER = {name: tensor + 1 for name, tensor in STATE.items()}


@pytest.mark.parametrize(
    "content",
    [
        {"net": STATE, "step": 3},
        {"model": {"state_dict": STATE}, "ema": OTHER},
        {"state_dict": {"model": STATE}},
        {"ema": {"model": STATE, "decay": 0.99}},
        {"ema": STATE, "optimizer": {"state": {}}},
        {"ema": OTHER, "network": STATE},
    ],
)
def test_a_state_dict_is_found_where_trainers_put_it(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "m.pt")
    found = read_weights(tmp_path / "m.pt")
    assert found.keys() == STATE.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in STATE.items())


def test_state_dicts_of_parts_become_one(tmp_path: Path) -> None:
    torch.save({"encoder": STATE, "decoder": OTHER, "epoch": 4}, tmp_path / "m.pt")
    found = read_weights(tmp_path / "m.pt")
    assert found.keys() == {f"{part}.{name}" for part in ("encoder", "decoder") for name in STATE}
    assert torch.equal(found["decoder.0.weight"], OTHER["0.weight"])


@pytest.mark.parametrize("form", ["pt", "safetensors"])
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int8, torch.uint8,
                                  torch.int32, torch.bool, torch.float8_e4m3fn, torch.float8_e5m2])  # fmt: skip
def test_types_and_values_are_kept(tmp_path: Path, kind: torch.dtype, form: str) -> None:
    values = torch.tensor([0.0, 1.0, 1.5]).to(kind)
    path = tmp_path / f"m.{form}"
    save_file({"w": values}, path) if form == "safetensors" else torch.save({"w": values}, path)
    found = read_weights(path)["w"]
    assert found.dtype == (torch.float32 if "float8" in str(kind) else kind)
    assert found.tolist() == values.to(found.dtype).tolist()


def test_infinities_views_and_shared_tensors_come_through(tmp_path: Path) -> None:
    whole = torch.arange(12.0).reshape(3, 4)
    mask = torch.full((2, 2), -torch.inf).triu(1)
    state = {"a": whole, "b": whole, "turned": whole.T, "part": whole[:, 1:3], "mask": mask}
    torch.save(state, tmp_path / "m.pt")
    found = read_weights(tmp_path / "m.pt")
    for name, expected in state.items():
        assert torch.equal(found[name], expected)
        assert found[name].is_contiguous()
    assert found["a"].data_ptr() != found["b"].data_ptr()
