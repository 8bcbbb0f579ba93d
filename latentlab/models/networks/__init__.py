"""Networks, one per file; the file's name is the network's name.

A network's file has two functions: ``encoder(image_shape, outputs)`` maps images (n, c, h, w) to (n, outputs), and
``decoder(latent_dim, image_shape)`` maps codes (n, d) to images' worth of likelihood parameters (n, c, h, w).
``LEARNING_RATE`` is the step size that suits it where none is given.
"""
