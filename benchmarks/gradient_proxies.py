"""All zero-cost scores that need gradients, of one network together, against the dearest alone.

ResNet-50 of timm, freshly initialised from seed 0, and 16 random images at 224 px from seed 1 of 4
classes in turn. Each score is computed alone, then all of them through one `Resolver`, as in a
run, which computes shared quantities once. A score without a value (DSS, which is for
transformers) counts with the time that it takes to say so. Seconds in brackets are of the
processor; the last column is the difference between the sums of the values, in units of the sum.

Usage: python benchmarks/gradient_proxies.py [--network resnet50] [--images 16] [--repeats 1]
"""

import argparse
from collections.abc import Callable, Sequence
from contextlib import suppress

import torch
from _timing import by_turns, machine

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.executors.memory import keep_freed
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.quantities import Resolver
from zoo_eval.scores import SCORES

NAMES = (
    *("grad_norm", "plain", "snip", "gradsign", "gradsign_mean", "zico", "grasp", "fisher"),
    *("jacob_cov", "epe_nas", "az_nas_trainability", "ntk_condition"),
    *("synflow", "synflow_bn", "logsynflow", "dss"),
)


def main() -> None:
    """Print one line of the table, and what each score takes alone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", default="resnet50")
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=1)
    asked = parser.parse_args()
    keep_freed()  # as every worker does
    ensure_torchvision()
    import timm

    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(1)
    givens = {
        "model": timm.create_model(asked.network).eval(),
        "input_shape": (3, 224, 224),
        "probe_images": torch.randn(asked.images, 3, 224, 224, generator=generator),
        "probe_labels": torch.arange(asked.images) % 4,
    }

    def total(names: Sequence[str]) -> Callable[[], float]:
        def compute() -> float:
            resolver = Resolver(givens, [SCORES[name].needs for name in names])
            value = 0.0
            for name in names:
                score = SCORES[name]
                with suppress(ScoreUndefinedError):
                    value += score.measure(resolver, score.with_defaults({})).value
                resolver.release(score.needs)
            return value

        return compute

    ways = {name: total([name]) for name in NAMES}
    found = by_turns(ways | {"together": total(NAMES)}, asked.repeats)
    together = found.pop("together")
    dearest = max(found, key=lambda name: found[name].processor)
    alone = found[dearest]
    difference = together.value / sum(timed.value for timed in found.values()) - 1
    print(
        f"| {len(NAMES)} gradient proxies, {asked.network}, {asked.images} images "
        f"| {dearest}: {alone.wall:.1f} s ({alone.processor:.1f}) "
        f"| {together.wall:.1f} s ({together.processor:.1f}) "
        f"| 1 / {together.wall / alone.wall:.2f} (1 / {together.processor / alone.processor:.2f}) "
        f"| {difference:+.1e} | {machine()} |"
    )
    each = (f"{name} {timed.wall:.1f} ({timed.processor:.1f})" for name, timed in found.items())
    print("alone: " + ", ".join(each))


if __name__ == "__main__":
    main()
