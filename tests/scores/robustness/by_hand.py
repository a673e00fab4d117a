"""Changes of networks by other means than those of `zoo_eval.transforms`."""

import copy

import numpy as np
import torch
from sklearn.cluster import KMeans
from torch import nn


def prune(share):
    def change(weights):
        magnitudes = np.sort(np.concatenate([w.abs().numpy().ravel() for w in weights]))
        for weight in weights:
            weight[weight.abs() <= magnitudes[int(share * len(magnitudes))]] = 0

    return change


def quantise(bits):
    """K-means by scikit-learn, the best of some starts."""

    def change(weights):
        for weight in weights:
            values = weight.numpy().reshape(-1, 1)
            means = KMeans(2**bits, n_init=3, random_state=0).fit(values)
            weight[:] = torch.from_numpy(means.cluster_centers_[means.labels_]).view(weight.shape)

    return change


def shift(bits):
    """The nearest of all codes, at the best scale of a fine grid."""

    def change(weights):
        for row in (row for weight in weights for row in weight):
            values = row.numpy().ravel().astype(np.float64)
            powers = 2.0 ** np.arange(2 ** (bits - 1))
            errors = []
            for scale in np.abs(values).max() * 2 ** np.linspace(-len(powers) - 3, 0, 300):
                nearest = scale * powers[np.abs(np.abs(values)[:, None] - scale * powers).argmin(1)]
                errors.append((np.square(np.abs(values) - nearest).sum(), nearest))
            nearest = min(errors, key=lambda pair: pair[0])[1]
            signed = np.where(values < 0, -nearest, nearest).astype(np.float32)
            row[:] = torch.from_numpy(signed).view(row.shape)

    return change


def cka(x, y):
    """By the definition, with kernels of all pairs of images."""
    centre = np.eye(len(x)) - 1 / len(x)
    k, h = (centre @ (z @ z.T) @ centre for z in (x.astype(float), y.astype(float)))
    return np.sum(k * h) / np.sqrt(np.sum(k * k) * np.sum(h * h))


def embeddings(model, batch):
    with torch.no_grad():
        return model.forward_head(model.forward_features(batch), pre_logits=True).numpy()


def without_branch(model, name):
    """A copy in which the last scale of a residual branch is zero, as in the published program."""
    changed = copy.deepcopy(model)
    last = changed.get_submodule(name).bn2
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return changed


def without_projection(model):
    """Names of the residual blocks of a ResNet whose skip is the identity."""
    return [
        name
        for name, block in model.named_modules()
        if hasattr(block, "bn2") and getattr(block, "downsample", 1) is None
    ]
