"""Estimate how rare each training row is in latent space, and weights that favour rare rows (Amini et al., 2019)."""
