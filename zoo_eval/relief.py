"""The ladder that a network goes down when memory runs out: each step needs less of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Relief:
    """What is done so that a network needs less memory.

    Attributes:
        divisor: Batches are smaller by this factor. The number of images never changes: the
            dataset and the probe batch pass the network in more parts.
        bf16: Whether the pass over the dataset is in bfloat16, which halves its activations.
        cpu: Whether a GPU's work is done on the processor, which has more memory.
    """

    divisor: int = 1
    bf16: bool = False
    cpu: bool = False

    def __str__(self) -> str:
        """The steps in words; nothing if there is no relief."""
        steps = [f"batch size / {self.divisor}"] if self.divisor > 1 else []
        return ", ".join(steps + ["bf16"] * self.bf16 + ["on the CPU"] * self.cpu)


LADDER = (
    Relief(),
    Relief(divisor=2),
    Relief(divisor=8),
    Relief(divisor=8, bf16=True),
    Relief(divisor=8, cpu=True),
)


def next_relief(relief: Relief, *, precision: str, device: str | None) -> Relief | None:
    """The next step of the ladder that changes anything; None at its end.

    Args:
        relief: The step on which memory ran out.
        precision: Of the pass over the dataset, without relief.
        device: Where that was; None if it is not known.
    """
    for step in LADDER[LADDER.index(relief) + 1 :]:
        changes_nothing = (step.bf16 and precision == "bf16") or (
            step.cpu and (device is None or device == "cpu")
        )
        if not changes_nothing:
            return step
    return None
