"""Show what each latent dimension does to the decoded image."""
