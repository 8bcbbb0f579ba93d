"""Networks, one per file; the file's name is the network's name.

A network's file has two functions: ``encoder(shape, outputs)`` maps samples (n, *shape) to (n, outputs), and
``decoder(latent_dim, shape)`` maps codes (n, d) to samples' worth of likelihood parameters (n, *shape). Where it does
not take every shape, ``takes(shape)`` says so.
``LEARNING_RATE`` is the step size that suits it where none is given, ``MEMORY_FORMAT`` the layout that its convolutions
of images compute in.
"""
