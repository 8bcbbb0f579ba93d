"""The model: networks, likelihoods, weights; encoding, decoding, and models that others built.

Belongs here: what is needed to have a model and to call it. ``networks/`` has one network per file; the likelihoods are
`likelihoods` (images, signals), `columns` (tables) and `counted` (counts). Does not belong here: losses and what
changes weights (`training`), files of other libraries (`exchange`).

A network's file has two functions: ``encoder(shape, outputs)`` maps samples (n, *shape) to (n, outputs), and
``decoder(latent_dim, shape)`` maps codes (n, d) to samples' worth of likelihood parameters (n, *shape). Where it does
not take every shape, ``takes(shape)`` says so.
``LEARNING_RATE`` is the step size that suits it where none is given.
"""

from latentlab.models.autoencoder import Autoencoder, Model, Point, build, place
from latentlab.models.load import check_adapter, load_model
from latentlab.models.wrapped import wrap

__all__ = ["Autoencoder", "Model", "Point", "build", "check_adapter", "load_model", "place", "wrap"]
