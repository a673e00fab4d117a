"""DSE with all eigenvalues: ours against dse-dsmi 1.1, 3,000 images, 2,048 features.

Embeddings with 50 classes from `_timing.like_a_network`, seed 0, σ = √d; three runs by turns.
Distances are part of the time of both. Usage: python benchmarks/dse_exact.py [N]
"""

import sys

import dse_dsmi
from _timing import by_turns, like_a_network, table_line

from zoo_eval.scores.information.dse import dse

N_FEATURES = 2048


def main() -> None:
    """Print one line of the table."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    z, _ = like_a_network(n, N_FEATURES, 50)
    sigma = N_FEATURES**0.5
    found = by_turns(
        {
            "dse-dsmi": lambda: dse_dsmi.diffusion_spectral_entropy(z, gaussian_kernel_sigma=sigma),
            "ours": lambda: dse(embeddings=z),
        },
        repeats=3,
    )
    print(table_line(f"DSE exact, n = {n:,}, d = 2,048", found["dse-dsmi"], found["ours"]))


if __name__ == "__main__":
    main()
