"""DSMI against dse-dsmi 1.1: 6,000 images, 20 classes of 300, 1,280 features.

Embeddings from `_timing.like_a_network`, seed 0, σ = √d, five random subsets per class; five runs
by turns. Usage: python benchmarks/dsmi.py
"""

import dse_dsmi
from _timing import by_turns, like_a_network, table_line

from zoo_eval.scores.information.dsmi import dsmi

N_IMAGES, N_FEATURES, N_CLASSES = 6000, 1280, 20


def main() -> None:
    """Print one line of the table."""
    z, labels = like_a_network(N_IMAGES, N_FEATURES, N_CLASSES)
    sigma = N_FEATURES**0.5
    found = by_turns(
        {
            "dse-dsmi": lambda: dse_dsmi.diffusion_spectral_mutual_information(
                z, labels, gaussian_kernel_sigma=sigma
            )[0],
            "ours": lambda: dsmi(embeddings=z, labels=labels),
        },
        repeats=5,
    )
    print(table_line("DSMI, n = 6,000, 20 classes", found["dse-dsmi"], found["ours"]))


if __name__ == "__main__":
    main()
