"""Embeddings of a few overlapping classes, as trained networks give them."""

import numpy as np


def clouds(per_class=20, classes=4, d=8, signal=1.0, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(per_class * classes) % classes)
    return rng.normal(size=(len(labels), d)) + signal * rng.normal(size=(classes, d))[
        labels
    ], labels


def rings(per_class=40, seed=0):
    """A class within another: no line between them, a curve is."""
    rng = np.random.default_rng(seed)
    labels = np.arange(2 * per_class) % 2
    angles = rng.uniform(0, 2 * np.pi, size=len(labels))
    radii = (1 + 2 * labels) + 0.1 * rng.normal(size=len(labels))
    return radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1), labels
