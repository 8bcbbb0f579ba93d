"""Project a run's codes to two dimensions (PCA, UMAP), and keep the coordinates."""
