"""Decode traversals and reconstructions of a run, and keep the images."""
