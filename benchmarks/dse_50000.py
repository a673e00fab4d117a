"""DSE of as many images as ImageNet's validation set has: 50,000, 1,280 features.

Embeddings with 1,000 classes from `_timing.like_a_network`, seed 0, as float32, σ = √d. There is
no baseline: dse-dsmi would need four matrices of 20 GB, and draws 10,000 images instead. Run in a
process of its own, whose peak memory is stated, the embeddings (256 MB) included. The exact value
is not known; the interval stands in for the difference.
Usage: python benchmarks/dse_50000.py [N]
"""

import resource
import subprocess
import sys
import time

import numpy as np
from _timing import like_a_network, machine

from zoo_eval.scores import Estimate, dse

N_FEATURES, N_CLASSES = 1280, 1000


def main() -> None:
    """Print one line of the table, from a process that does nothing else."""
    n = sys.argv[1] if len(sys.argv) > 1 else "50000"
    if len(sys.argv) > 2:
        measure(int(n))
    else:
        subprocess.run([sys.executable, __file__, n, "here"], check=True)


def measure(n: int) -> None:
    """Time one call, and see how much memory the process has taken at most."""
    z = like_a_network(n, N_FEATURES, N_CLASSES)[0].astype(np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    wall, processor = time.perf_counter(), time.process_time()
    value = dse(embeddings=z)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    assert isinstance(value, Estimate)
    print(
        f"| DSE, n = {n:,}, d = 1,280 | impossible (memory) | {wall:.0f} s ({processor:.0f}), "
        f"{peak:.1f} GB ({before:.1f} before) | – | {value:.5f} {value.low - value:+.1e} "
        f"… {value.high - value:+.1e} bits | {machine()} |"
    )


if __name__ == "__main__":
    main()
