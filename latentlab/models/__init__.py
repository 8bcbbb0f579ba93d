"""Networks, one a file, and the autoencoder that is built of them.

A network's file has two functions: ``encoder(image_shape, outputs)`` maps images (n, c, h, w) to (n, outputs), and
``decoder(latent_dim, image_shape)`` maps codes (n, d) to images' worth of likelihood parameters (n, c, h, w).
``LEARNING_RATE`` is the step size that suits it where none is given.
"""

from latentlab.models.autoencoder import Autoencoder, Model, Point, build, place
from latentlab.models.load import check_adapter, load_model
from latentlab.models.wrapped import wrap

__all__ = ["Autoencoder", "Model", "Point", "build", "check_adapter", "load_model", "place", "wrap"]
