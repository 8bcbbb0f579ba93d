"""What other programs call the arrays of data: the training part of Keras and MedMNIST, or a file's only array."""

from __future__ import annotations

from collections.abc import Collection, Iterable

SAMPLES, LABELS = "images", "labels"
TRAINING = {  # samples, and what their labels are called
    "x_train": ("y_train", "t_train"),
    "X_train": ("y_train", "Y_train"),
    "train_images": ("train_labels",),
    "train_x": ("train_y",),
    "train_X": ("train_y", "train_Y"),
    "train_data": ("train_labels", "train_targets"),
}


def stand_ins(names: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """Which names stand for ``images`` and ``labels`` in a file without one of the names `known`; none where it has.

    >>> stand_ins(["x_test", "x_train", "y_test", "y_train"], ["images"])
    {'images': 'x_train', 'labels': 'y_train'}
    >>> stand_ins(["arr_0"], ["images"]), stand_ins(["arr_0", "arr_1"], ["images"])
    ({'images': 'arr_0'}, {})
    """
    held = list(names)
    if not set(held).isdisjoint(known):
        return {}
    samples = next((name for name in TRAINING if name in held), held[0] if len(held) == 1 else "")
    labels = next((name for name in TRAINING.get(samples, ()) if name in held), "")
    return {role: name for role, name in ((SAMPLES, samples), (LABELS, labels)) if name}


def said_of(standing: dict[str, str]) -> tuple[str, ...]:
    """A sentence on what stands for what; none where nothing does."""
    nouns = {SAMPLES: "samples", LABELS: "labels"}
    parts = [f"{name[:40]} as the {nouns[role]}" for role, name in standing.items()]
    return (f"read {' and '.join(parts)}",) if parts else ()
