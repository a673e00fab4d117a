"""Finds images that show nearly the same, such as one photograph saved twice at other sizes.

Images are candidates if their perceptual hashes differ in a few of 64 bits; they are near copies
if their thumbnails agree too. The hash alone would not do: pullovers have the outlines of other
pullovers, and of 2,000 garments 166 pairs that are no copies differ in 4 bits or less.

The hash is Zauner's (2010), which ImageHash also has. It is made here, for all images at once,
as that package would bring another one along for hashes that nothing asks for.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Int, UInt8, UInt64
from scipy.fft import dctn
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

MOST_BITS = 7  # two hashes that differ in 7 bits of 8 bytes agree in one byte
LEAST_CORRELATION = 0.99
_BLANK = 1.0  # deviation of a thumbnail in grey levels
_CHUNK = 8192

Thumbnails = UInt8[np.ndarray, "n 32 32"]


def near_copies(thumbnails: Thumbnails) -> Int[np.ndarray, " n"]:
    """Number of each image's group, equal for images that are near copies of one another.

    A copy of a copy belongs to the group. Images of a single colour have groups of their own.
    """
    n = len(thumbnails)
    telling = np.flatnonzero(~blank(thumbnails))
    hashes = perceptual_hashes(thumbnails[telling])
    first = _first_alike(hashes, thumbnails[telling])
    pairs = [(telling, telling[first])]
    ones = np.unique(first)
    for i, j in _candidates(hashes[ones]):
        i, j = telling[ones[i]], telling[ones[j]]
        alike = _alike(thumbnails, i, j)
        pairs.append((i[alike], j[alike]))
    rows, columns = (np.concatenate(side) for side in zip(*pairs, strict=True))
    graph = coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(n, n))
    _, groups = connected_components(graph, directed=False)
    return np.asarray(groups, dtype=np.int64)


def blank(thumbnails: Thumbnails) -> Bool[np.ndarray, " n"]:
    """Whether all pixels have one colour, up to rounding."""
    deviations = [part.std(axis=(1, 2)) for part in _parts(thumbnails)]
    return np.concatenate([np.empty(0), *deviations]) < _BLANK


def perceptual_hashes(thumbnails: Thumbnails) -> UInt64[np.ndarray, " n"]:
    """Which of the 63 slowest waves of the cosine transform are above their median."""
    bits: list[np.ndarray] = [np.empty((0, 8), dtype=np.uint8)]
    for part in _parts(thumbnails):
        waves = np.asarray(dctn(part.astype(np.float32), axes=(1, 2)))[:, :8, :8].reshape(-1, 64)
        waves[:, 0] = -np.inf  # the mean brightness
        above = waves > np.median(waves[:, 1:], axis=1, keepdims=True)
        bits.append(np.packbits(above, axis=1))
    return np.ascontiguousarray(np.concatenate(bits)).view(np.uint64).ravel()


def _first_alike(hashes: UInt64[np.ndarray, " n"], thumbnails: Thumbnails) -> Int[np.ndarray, " n"]:
    """For each image the first that it is a near copy of, among those of the same hash.

    So a thousand copies of one image are a thousand comparisons, not half a million.
    """
    first = np.arange(len(hashes))
    order = np.argsort(hashes, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(hashes[order])) + 1):
        rest = group
        while len(rest) > 1:
            alike = _alike(thumbnails, rest, np.full_like(rest, rest[0]))
            alike[0] = True
            first[rest[alike]] = rest[0]
            rest = rest[~alike]
    return first


def _candidates(
    hashes: UInt64[np.ndarray, " n"],
) -> Iterator[tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"]]]:
    """Pairs whose hashes differ in at most `MOST_BITS` bits; some come more than once.

    Eight bytes that differ in seven bits have one byte in common: only hashes that share one are
    compared.
    """
    for byte in hashes.view(np.uint8).reshape(-1, 8).T:
        order = np.argsort(byte, kind="stable")
        for bucket in np.split(order, np.flatnonzero(np.diff(byte[order])) + 1):
            for start in range(0, len(bucket), 512):
                some = bucket[start : start + 512]
                rest = bucket[start:]
                bits = np.bitwise_count(hashes[some, None] ^ hashes[None, rest])
                i, j = np.nonzero(np.triu(bits <= MOST_BITS, k=1))
                yield some[i], rest[j]


def _alike(
    thumbnails: Thumbnails, i: Int[np.ndarray, " pairs"], j: Int[np.ndarray, " pairs"]
) -> Bool[np.ndarray, " pairs"]:
    """Whether the thumbnails correlate, which brightness and contrast do not change."""
    found = [np.empty(0, dtype=bool)]
    for start in range(0, len(i), _CHUNK):
        a, b = (
            thumbnails[side[start : start + _CHUNK]].reshape(-1, 1024).astype(np.float32)
            for side in (i, j)
        )
        a -= a.mean(axis=1, keepdims=True)
        b -= b.mean(axis=1, keepdims=True)
        squares = np.einsum("pk,pk->p", a, a) * np.einsum("pk,pk->p", b, b)
        found.append(np.einsum("pk,pk->p", a, b) >= LEAST_CORRELATION * np.sqrt(squares))
    return np.concatenate(found)


def _parts(thumbnails: Thumbnails) -> Iterator[Thumbnails]:
    """A few thousand at a time: their cosine transforms take four times their room."""
    for start in range(0, len(thumbnails), _CHUNK):
        yield thumbnails[start : start + _CHUNK]
