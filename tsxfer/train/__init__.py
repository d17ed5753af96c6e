"""Training: what is copied, how a model is fitted, where weights are kept."""
