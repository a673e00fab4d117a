"""DSE by block Lanczos against dse-dsmi 1.1, 6,000 images, 1,280 features.

Embeddings with 50 classes from `_timing.like_a_network`, seed 0, σ = √d; by turns, three runs
unless told. The exact value is that of dse-dsmi. Distances are part of the time of both.
Usage: python benchmarks/dse_lanczos.py [RUNS [N]]
"""

import sys

import dse_dsmi
from _timing import by_turns, like_a_network, table_line

from zoo_eval.scores import Estimate
from zoo_eval.scores.information.dse import dse

N_FEATURES = 1280


def main() -> None:
    """Print one line of the table, and the stated interval."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 6000
    z, _ = like_a_network(n, N_FEATURES, 50)
    sigma = N_FEATURES**0.5
    found = by_turns(
        {
            "dse-dsmi": lambda: dse_dsmi.diffusion_spectral_entropy(z, gaussian_kernel_sigma=sigma),
            "ours": lambda: dse(embeddings=z),
        },
        repeats=runs,
    )
    print(table_line(f"DSE by Lanczos, n = {n:,}, d = 1,280", found["dse-dsmi"], found["ours"]))
    ours = found["ours"].value
    assert isinstance(ours, Estimate)
    print(f"95 % interval: {ours.low - ours:+.1e} … {ours.high - ours:+.1e} bits")


if __name__ == "__main__":
    main()
