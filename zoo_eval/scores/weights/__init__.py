"""Scores of the weights alone: no images, no forward pass."""
