"""Networks, one per file, and the autoencoder that is built of them.

A network's file has two functions: ``encoder(shape, outputs)`` maps samples (n, *shape) to (n, outputs), and
``decoder(latent_dim, shape)`` maps codes (n, d) to samples' worth of likelihood parameters (n, *shape). Where it does
not take every shape, ``takes(shape)`` says so.
``LEARNING_RATE`` is the step size that suits it where none is given.
"""

from latentlab.models.autoencoder import Autoencoder, Model, Point, build, place
from latentlab.models.load import check_adapter, load_model
from latentlab.models.wrapped import wrap

__all__ = ["Autoencoder", "Model", "Point", "build", "check_adapter", "load_model", "place", "wrap"]
