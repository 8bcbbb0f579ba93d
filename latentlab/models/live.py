"""A run's model at hand, as functions from arrays to arrays: what pages and figures decode with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from latentlab.codes.decodings import Decodings
from latentlab.data.dataset import Samples
from latentlab.errors import InputError
from latentlab.models import Model, load_model
from latentlab.models.conditions import At, at_level
from latentlab.models.decoding import decode
from latentlab.models.filling import fill
from latentlab.models.first_layer import first_weights
from latentlab.runs.run import Run
from latentlab.runs.weights import check_model


@dataclass(frozen=True, eq=False)
class Live:
    """A loaded model and the threads it computes with, so that what it decodes has the bytes of a stored decoding.

    Parameters
    ----------
    model : Model
        With a decoder.
    threads : int
        How many threads compute.
    """

    model: Model
    threads: int

    def at(self, chosen: Mapping[str, str]) -> Live:
        """The same model with the conditions that it is told at chosen levels.

        Parameters
        ----------
        chosen : mapping of str to str
            Levels by column, as in ``{"batch": "B"}``; others stay the usual ones.

        Returns
        -------
        Live
            Its decoder is told those levels.
        """
        return replace(self, model=at_level(self.model, getattr(self.model, "conditions", None), chosen))

    @property
    def levels(self) -> dict[str, str]:
        """The level of each column that the decoder is told; none where it is told nothing."""
        return self.model.levels if isinstance(self.model, At) else {}

    def decode(self, codes: NDArray[np.float32]) -> Samples:
        """The likelihood's means of codes, as samples in the values that are stored.

        Parameters
        ----------
        codes : array (…, d)
            What to decode.

        Returns
        -------
        array (…, *shape)
            A sample for each code.
        """
        return decode(self.ready(), codes)

    def fill(self, images: Samples, hidden: NDArray[np.bool_], *, draws: int, seed: int = 0) -> Decodings:
        """What may stand where samples are hidden; see `latentlab.models.filling.fill`.

        Parameters
        ----------
        images : array (n, *shape)
            Samples.
        hidden : array of bool
            Which values are hidden, some and not all, with the axes of a sample, or all but its first.
        draws : int
            How many fillings of each sample, each the end of a chain of its own.
        seed : int, default 0
            Of the draws.

        Returns
        -------
        Decodings
            The fillings.
        """
        return fill(self.ready(), images, hidden, draws=draws, seed=seed)

    def first_weights(self) -> NDArray[np.float32]:
        """The weights of the decoder's first layer.

        Returns
        -------
        array (m, d)
            A column for each latent dimension.
        """
        return first_weights(self.ready()).numpy()

    def ready(self) -> Model:
        """The model, this thread being set to its number of threads.

        OpenMP keeps that number by thread, and a server answers each visitor in a thread of its own.

        Returns
        -------
        Model
            The model.
        """
        torch.set_num_threads(self.threads)
        return self.model


def live(run: Run, adapter: str | Model | None = None) -> Live:
    """Load the run's model, as figures take it: ``ll.figures.manifold(run, model=ll.live(run))``.

    Parameters
    ----------
    run : Run
        The run, or the path of its folder.
    adapter : str or Model, optional
        What a run of a user's own model needs: ``FILE.py:NAME``, or the model.

    Returns
    -------
    Live
        Functions from arrays to arrays: ``decode``, ``fill``, ``first_weights``.

    Raises
    ------
    InputError
        Where the run has no decoder, or needs an adapter.
    MissingError
        Where the run has no weights.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> run = ll.train("digits", f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> codes = ll.encode(run)
    >>> ll.live(run).decode(codes.mean[:2]).shape
    (2, 1, 8, 8)
    """
    check_model(run)
    if not run.decodes:
        raise InputError(f"{run.path} has no decoder, so nothing can be decoded; its codes can be viewed and scored")
    return Live(load_model(run, adapter), run.config.hardware.threads)
