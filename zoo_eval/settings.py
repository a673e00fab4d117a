"""How networks are run: from the job, and from what was measured on this machine."""

from dataclasses import dataclass, replace

from zoo_eval.quantities import Precision
from zoo_eval.relief import LADDER, Relief
from zoo_eval.store.arrays import ArrayFolder

_FASTER = 1.2  # bfloat16 costs digits, so it must be that much faster on both networks


@dataclass(frozen=True)
class Settings:
    """How networks are run.

    Attributes:
        device: As the job names it.
        batch_size: Images in a batch; None: as many as have the working set.
        working_set: Bytes, see `zoo_eval.calibration`; used if there is no batch size.
        precision: Of the pass over the dataset.
        gradient_precision: Of gradients of single images; all others are float32.
        probe_n: Number of probe images.
        probe_seed: Which they are.
        probe_source: `dataset` or `noise`.
        relief: What is done because memory ran out before.
        arrays: Where arrays are kept; None: none are.
        keep_arrays: Whether to keep more there, or only to use what is there.
    """

    device: str
    batch_size: int | None
    working_set: float
    precision: Precision
    gradient_precision: Precision
    probe_n: int
    probe_seed: int
    probe_source: str
    relief: Relief = LADDER[0]
    arrays: ArrayFolder | None = None
    keep_arrays: bool = False

    def relieved(self, relief: Relief) -> "Settings":
        """The same settings, made to need less memory. Not to be relieved again."""
        size = self.batch_size
        return replace(
            self,
            device="cpu" if relief.cpu else self.device,
            batch_size=None if size is None else max(1, size // relief.divisor),
            working_set=self.working_set / relief.divisor,
            precision="bf16" if relief.bf16 else self.precision,
            relief=relief,
        )


def precision_for(speedup: float) -> Precision:
    """bfloat16 where it is worth its digits."""
    return "bf16" if speedup >= _FASTER else "fp32"
