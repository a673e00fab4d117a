"""A head that knows no classes: a low-rank change of embeddings, judged by nearest prototypes."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from zoo_eval.scores.initialisation._heads import Heads, parts

_SHORTEST = (
    1e-3  # shorter vectors are not stretched to length 1, for which way they point is chance
)
_COSINE_SCALE = 10.0


class PrototypeHead:
    """Embeddings z + U V z, and logits 10 cos(embedding, prototype).

    Any number of classes will do, so a head that was trained on some can be used for others.

    Args:
        width: d, numbers per embedding.
        rank: Rows of V, columns of U.
    """

    def __init__(self, width: int, rank: int) -> None:
        self._shapes = [(rank, width), (width, rank)]

    def new(self, generators: Sequence[np.random.Generator]) -> Heads:
        """Heads with U = 0, which change nothing, and V normal of variance 1/rank."""
        rank, width = self._shapes[0]
        rows = [one.normal(0, rank**-0.5, size=width * rank) for one in generators]
        return torch.from_numpy(np.pad(np.stack(rows), ((0, 0), (width * rank, 0)))).float()

    def __call__(
        self, heads: Heads, z: Float[Tensor, "heads ways images d"]
    ) -> Float[Tensor, "heads ways images d"]:
        """Embeddings of each head's own images, changed."""
        up, down = parts(heads, self._shapes)
        return z + z @ down[:, None] @ up[:, None]

    def losses(
        self, heads: Heads, shots: Float[Tensor, "heads ways shots d"]
    ) -> Float[Tensor, " heads"]:
        """Cross-entropy of each shot against the classes' prototypes, in nats.

        A prototype is the mean of a class's shots; that of a shot's own class leaves it out.
        """
        z = self(heads, shots)
        sums = z.sum(dim=2, keepdim=True)
        unit = _unit(z)
        own = (unit * _unit(sums - z)).sum(dim=3)
        cosines = torch.einsum("hwsd,hvd->hwsv", unit, _unit(sums.squeeze(2)))
        self_class = torch.eye(z.shape[1], dtype=torch.bool)[:, None]
        logits = _COSINE_SCALE * torch.where(self_class, own[..., None], cosines)
        return (torch.logsumexp(logits, dim=3) - _COSINE_SCALE * own).mean(dim=(1, 2))

    def logits(
        self,
        heads: Heads,
        shots: Float[Tensor, "heads ways shots d"],
        queries: Float[Tensor, "heads ways queries d"],
    ) -> Float[Tensor, "heads images ways"]:
        """Of each query, class after class, against the prototypes of all shots."""
        prototypes = _unit(self(heads, shots).sum(dim=2))
        unit = _unit(self(heads, queries)).flatten(1, 2)
        return _COSINE_SCALE * unit @ prototypes.transpose(1, 2)


def _unit(z: Float[Tensor, "*rows d"]) -> Float[Tensor, "*rows d"]:
    return normalize(z, dim=-1, eps=_SHORTEST)
