"""Reptile: a start for heads from which few steps go far, learnt from many tasks."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from zoo_eval.scores.initialisation._heads import Heads, descend

Losses = Callable[[Heads], Float[Tensor, " heads"]]


def reptile(
    start: Heads,
    draw: Callable[[], Losses],
    *,
    tasks: int,
    rounds: int,
    inner_rate: float,
    inner_steps: int,
) -> Heads:
    """Move each start to the mean of where gradient descent ends from it, round after round.

    That is Reptile with an outer rate of 1, as in MetaCap's code, over several tasks at a time.

    Args:
        start: The starts to improve.
        draw: Draws new tasks, `tasks` for each start, and gives the losses of their heads: those
            of the first start, then those of the second.
        tasks: Per start and round.
        rounds: Outer steps; with 0 the starts are returned.
        inner_rate: Rate of the descent on a task.
        inner_steps: Its steps.
    """
    for _ in range(rounds):
        learners = start.repeat_interleave(tasks, dim=0)
        ends = descend(learners, draw(), rate=inner_rate, steps=inner_steps)
        start = ends.reshape(len(start), tasks, -1).mean(dim=1)
    return start
