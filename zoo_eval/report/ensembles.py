"""What the networks of a store are worth together: what the pages show of it."""

from dataclasses import dataclass

from zoo_eval.report.frames import Frame


@dataclass(frozen=True)
class Ensembles:
    """What networks are worth together on one dataset.

    Attributes:
        dataset: Its name.
        n_choosing: Images that partners, weights and temperatures were chosen on.
        n_judging: Images that the numbers come from.
        partners: By model, the fields of `zoo_eval.ensembles.partners.Partner`, and `temperature`.
        families: By family, the fields of `zoo_eval.ensembles.families.Family`.
        averages: By name, the fields of `zoo_eval.ensembles.families.Average`.
        left_out: Models whose kept logits do not go with the others or cannot be read.
        why_none: Why there is nothing; empty if there is something.
    """

    dataset: str
    n_choosing: int
    n_judging: int
    partners: Frame
    families: Frame
    averages: Frame
    left_out: int
    why_none: str = ""
