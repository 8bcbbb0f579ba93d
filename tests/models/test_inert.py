"""Archives that name foreign classes: what stands beside the weights stays unread, what is hostile is one line."""

import argparse
import collections
import copyreg
import enum
import functools
import io
import pickle
import struct
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from latentlab.errors import InputError
from latentlab.models import inert
from latentlab.models.weights import read_checkpoint, read_weights

STATE = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).state_dict()


Weights = dict[str, Tensor]


def same(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and torch.equal(one[name], other[name]) for name in one
    )


class AttributeDict(dict[str, Any]):
    """As Lightning and many others keep settings."""


@dataclass
class Config:
    """Settings as an object."""

    rate: float = 0.1
    layer: Any = nn.ReLU


class Slotted:
    """An object with slots, which is pickled with a pair as its state."""

    __slots__ = ("value",)


class Called:
    """Its pickle calls a function, and then sets an attribute of what that returned."""

    calls: ClassVar[list[Any]] = []

    def __reduce__(self) -> Any:
        return _call, (1,), {"set": True}


def _call(value: int) -> Called:
    Called.calls.append(value)
    return Called()


class Mode(enum.Enum):
    """A choice."""

    FAST = 1


def slotted() -> Slotted:
    made = Slotted()
    made.value = 3
    return made


SETTINGS: dict[str, Any] = {
    "dataclass": Config(),
    "a dict": AttributeDict(a=AttributeDict(b=1), c=[Config()]),
    "a class": Config,
    "an enum": Mode.FAST,
    "namespace": argparse.Namespace(rate=1, cfg=Config()),
    "path": Path("data"),
    "partial": functools.partial(print, 1, sep="x"),
    "deque": collections.deque([1.0, 2.0], maxlen=3),
    "defaultdict": collections.defaultdict(list, a=[1]),
    "method": "text".join,
    "slots": slotted(),
    "numpy": {"best": np.float64(0.5), "all": np.arange(5.0), "kind": np.dtype("f4")},
    "set of objects": {Mode.FAST, 3},
    "a key": {Mode.FAST: 1},
    "function": torch.nn.functional.relu,
    "module": nn.Linear(2, 2),
    "call": Called(),
    "slice": slice(1, 2),
    "generator state": torch.get_rng_state(),
    "device and type": (torch.device("cpu"), torch.float16, torch.Size([2])),
}


@pytest.mark.parametrize("kind", list(SETTINGS))
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_settings_of_any_class_beside_the_weights_stay_unread(tmp_path: Path, kind: str, protocol: int) -> None:
    content = {"state_dict": STATE, "hyper_parameters": SETTINGS[kind], "epoch": 3}
    torch.save(content, tmp_path / "m.ckpt", pickle_protocol=protocol)
    Called.calls.clear()
    found = read_checkpoint(tmp_path / "m.ckpt")
    assert same(found.weights, dict(STATE))
    assert found.key == "state_dict"
    assert not Called.calls


def test_the_objects_are_named_and_none_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    package = ModuleType("absent_package")
    exec("class Settings:\n    pass", package.__dict__)
    monkeypatch.setitem(sys.modules, "absent_package", package)
    settings_ = {"s": package.Settings(), "p": functools.partial(print)}
    torch.save({"state_dict": {f"net.{n}": w for n, w in STATE.items()}, "hparams": settings_}, tmp_path / "m.ckpt")
    monkeypatch.delitem(sys.modules, "absent_package")
    found = read_checkpoint(tmp_path / "m.ckpt")
    assert found.unread[0] == "absent_package.Settings"
    assert "absent_package" not in sys.modules
    said = found.said({name.removeprefix("net."): tensor for name, tensor in found.weights.items()})
    assert said.startswith(
        "m.ckpt: took the weights under 'state_dict', removed the prefix 'net.', left Python objects"
    )
    assert "(absent_package.Settings, " in said


@pytest.mark.parametrize(
    "beside", [{}, {"epoch": 3, "optimizer": {"state": {0: {"step": torch.ones(())}}, "param_groups": []}}]
)
@pytest.mark.parametrize("key", [None, "model", "net", "vae"])
def test_a_whole_pickled_module_is_refused_with_its_remedy(tmp_path: Path, key: str | None, beside: Any) -> None:
    module = nn.Sequential(nn.Linear(2, 2))
    torch.save(module if key is None else {key: module, **beside}, tmp_path / "m.pt")
    with pytest.raises(
        InputError, match=r"\(torch\.nn\.modules\.container\.Sequential\), .*save model\.state_dict\(\)"
    ):
        read_weights(tmp_path / "m.pt")


def test_tensors_are_the_same_as_by_the_restricted_reader(tmp_path: Path) -> None:
    whole = torch.arange(24.0).reshape(4, 6)
    kinds = [*inert.KINDS, *inert.NARROW]
    state = {
        "a": whole, "turned": whole.T, "part": whole[1:3, ::2], "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 3),
        "parameter": nn.Parameter(whole), "broad": torch.ones(1).expand(3), **{f"k{i}": torch.ones(3).to(kind)
                                                                               for i, kind in enumerate(kinds)}
    }  # fmt: skip
    state["attribute"] = torch.ones(2)
    state["attribute"].note = "kept beside it"  # type: ignore[attr-defined]
    torch.save(state, tmp_path / "m.pt")
    expected = torch.load(tmp_path / "m.pt", weights_only=True)
    found, unread = inert.read(tmp_path / "m.pt")
    assert not unread
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert found[name].shape == tensor.shape
        assert torch.equal(found[name].double(), tensor.detach().double())


def rewritten(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Replace an archive's pickle."""
    with zipfile.ZipFile(path) as archive:
        records = {record: archive.read(record) for record in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in records.items():
            archive.writestr(name, change(content) if name.endswith("data.pkl") else content)


FAR = pickle.LONG_BINPUT + struct.pack("<I", 2**32 - 1)


TEMPLATE = b"\x80\x02%s."


HOSTILE = {
    "a far place of the memo": b"N" + FAR,
    "an extension": b"\x82\x01",
    "an old instance": b"(ios\nsystem\n",
    "a buffer": b"\x97",
    "bytes of any size": b"\x96" + struct.pack("<Q", 2**40),
    "a long text": b"X" + struct.pack("<I", 2**31),
    "a pair as state of a class": b"cabsent\nX\n(N}U\x01aNstb",
    "a name of nothing": b"c\n\n",
    "a name with a null": b"ca\nb\x00\n)R",
    "a call of a number": b"K\x01)R",
    "a call of os.system": b"cposix\nsystem\n(X\x04\x00\x00\x00truetR",
    "nothing": b"",
}


@pytest.mark.parametrize("kind", list(HOSTILE))
def test_a_hostile_pickle_is_one_line(tmp_path: Path, kind: str) -> None:
    torch.save({"w": torch.ones(2), "c": Config()}, tmp_path / "m.pt")
    rewritten(tmp_path / "m.pt", lambda _: TEMPLATE % HOSTILE[kind])
    before = dict(copyreg.dispatch_table)
    with pytest.raises(InputError) as caught:
        read_weights(tmp_path / "m.pt")
    assert len(str(caught.value)) <= 200
    assert copyreg.dispatch_table == before


@pytest.mark.parametrize(("old", "new"), [(b"K\x02", b"K\x7f"), (b"K\x00(K\x02", b"K\x09(K\x02")])
def test_a_tensor_beyond_its_storage_is_refused(tmp_path: Path, old: bytes, new: bytes) -> None:
    torch.save({"w": torch.ones(2, 2), "c": Config()}, tmp_path / "m.pt")
    rewritten(tmp_path / "m.pt", lambda content: content.replace(old, new))
    with pytest.raises(InputError):
        read_weights(tmp_path / "m.pt")


def test_mappings_that_share_or_contain_themselves_end(tmp_path: Path) -> None:
    deep: dict[str, Any] = {"w": dict(STATE)}
    for _ in range(60):
        deep = {"a": deep, "b": deep}
    ring: dict[str, Any] = {"state_dict": dict(STATE), "c": Config()}
    ring["self"] = ring
    torch.save({"state_dict": dict(STATE), "deep": deep, "ring": ring, "c": Config()}, tmp_path / "m.pt")
    assert same(read_weights(tmp_path / "m.pt"), dict(STATE))
    torch.save(deep, tmp_path / "d.pt")
    with pytest.raises(InputError, match="does not contain a state dict"):
        read_weights(tmp_path / "d.pt")
    wide: Any = dict(STATE)
    for _ in range(4):
        wide = [wide] * 300
    torch.save(wide, tmp_path / "w.pt")
    assert len(read_weights(tmp_path / "w.pt")) == 300 * len(STATE)


def test_the_checkpoint_of_a_stranger_is_no_larger_in_memory_than_its_file(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(1).expand(1 << 40), "c": Config()}, tmp_path / "m.pt")
    with pytest.raises(InputError):
        read_weights(tmp_path / "m.pt")
    buffer = io.BytesIO()
    torch.save({"state_dict": {"w": torch.ones(1).expand(1 << 40)}, "c": Config()}, buffer)
    (tmp_path / "m.pt").write_bytes(buffer.getvalue())
    with pytest.raises(InputError, match="w claims 4,398,046,511,104 bytes"):
        read_weights(tmp_path / "m.pt")
