"""Encoder and decoder as ONNX: run anywhere, in any batch size."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from latentlab.errors import InputError
from latentlab.exchange.exporters._needs import need, new_folder
from latentlab.models import Model, Point, load_model
from latentlab.runs.run import Run
from latentlab.system.files import write_bytes

BATCH = 2  # of the example; the exported graphs take any


class _Encoder(nn.Module):
    """Images to mean and variance, or to the mean alone."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        q = self.model.encode(images)
        return (q.mean,) if isinstance(q, Point) else (q.mean, q.variance)


class _Decoder(nn.Module):
    """Codes to the likelihood's mean."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, codes: Tensor) -> Tensor:
        return self.model.decode(codes).mean


def write(run: Run, out: Path, *, adapter: str | Model | None = None) -> Path:
    """A folder with ``encoder.onnx`` and ``decoder.onnx``, as far as the model has them.

    The encoder maps ``images`` (n, c, h, w) float32 in [0, 1] to ``mean`` (n, d) and, where it is stochastic,
    ``variance``; the decoder maps ``codes`` (n, d) to ``images``, the likelihood's mean. ``adapter`` is what a run of a
    user's own model needs.
    """
    need("onnxscript", "latentlab[onnx]")
    model = load_model(run, adapter)
    if isinstance(model, nn.Module):
        model = model.to("cpu")
    with new_folder(out):
        if run.encodes:
            names = ["mean", "variance"] if run.config.stochastic else ["mean"]
            write_bytes(
                out / "encoder.onnx",
                _graph(_Encoder(model), torch.zeros(BATCH, *run.config.form.shape), "images", names),
            )
        if run.decodes:
            codes = torch.zeros(BATCH, run.config.latent_dim)
            write_bytes(out / "decoder.onnx", _graph(_Decoder(model), codes, "codes", ["images"]))
    return out


def _graph(part: nn.Module, example: Tensor, takes: str, gives: list[str]) -> bytes:
    with _quiet(), torch.inference_mode():
        program = torch.onnx.export(
            part.eval(),
            (example,),
            dynamo=True,
            input_names=[takes],
            output_names=gives,
            dynamic_shapes=({0: torch.export.Dim("n")},),
            verbose=False,
        )
        if program is None:
            raise InputError("PyTorch returned no ONNX graph; is this version of PyTorch supported?")
    graph = program.model_proto
    for node in graph.graph.node:
        del node.metadata_props[:]  # where in which file of this machine a node comes from
    return bytes(graph.SerializeToString())


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter tells of its progress and of its own deprecations; neither is news to the user."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
