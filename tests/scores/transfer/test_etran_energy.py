import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo_eval.errors import InputError
from zoo_eval.scores import etran_energy


def data(n=30, classes=5, seed=0):
    rng = np.random.default_rng(seed)
    return 3 * rng.normal(size=(n, classes)), rng.normal(size=(n, 4))


def slow_energy(logits, share):
    energies = sorted(math.log(math.fsum(math.exp(x) for x in row)) for row in logits)
    m = max(1, int(share * len(energies)))
    return math.fsum(energies[:m]) / m


# 1. closed forms


def test_one_logit_is_its_own_energy():
    logits = np.arange(10.0)[:, None]
    assert etran_energy(logits=logits, embeddings=logits) == 0
    assert etran_energy(logits=logits, embeddings=logits, share=0.35) == 1  # 0, 1 and 2
    assert etran_energy(logits=logits, embeddings=logits, share=1) == 4.5


@pytest.mark.parametrize(("n", "m"), [(1, 1), (199, 1), (200, 1), (399, 1), (400, 2), (600, 3)])
def test_number_of_images(n, m):
    # Also of 600 images exactly 3, although 0.005 · 600 is not exact in binary.
    logits = np.arange(float(n))[:, None]
    assert etran_energy(logits=logits, embeddings=logits) == (m - 1) / 2


def test_large_logits_do_not_overflow():
    logits = np.array([[1000.0, 1000.0], [-1000.0, -1000.0]])
    value = etran_energy(logits=logits, embeddings=logits, share=1)
    assert value == pytest.approx(math.log(2), rel=1e-12)


# 2. independent values


@pytest.mark.parametrize(
    ("program", "options"),
    [
        ("energy_logits_low0.5pct", {}),
        ("energy_features_low0.5pct", {"source": "embeddings"}),
        ("energy_logits_all", {"share": 1.0}),
    ],
)
def test_equals_the_official_code(reference_embeddings, parity, case, program, options):
    z, _, logits = reference_embeddings(case)
    value = etran_energy(logits=logits, embeddings=z, **options)
    if parity.expectations["cases"][case]["values"][f"etran/{program}"]["value"] == "nan":
        # Below 200 images the official code takes the mean of none; ours is the lowest.
        assert len(z) < 200
        matrix = z if "source" in options else logits
        assert value == pytest.approx(slow_energy(matrix, 0), rel=1e-12)
    else:
        parity.embeddings(case, f"etran/{program}", value)


@pytest.mark.parametrize("share", [0.005, 0.1, 0.5, 1])
def test_equals_the_slow_definition(share):
    logits, z = data()
    value = etran_energy(logits=logits, embeddings=z, share=share)
    assert value == pytest.approx(slow_energy(logits, share), rel=1e-12)
    value = etran_energy(logits=logits, embeddings=z, share=share, source="embeddings")
    assert value == pytest.approx(slow_energy(z, share), rel=1e-12)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.01, 1), shift=st.floats(-50, 50))
def test_order_and_shift(seed, share, shift):
    rng = np.random.default_rng(seed)
    logits, z = data(12, 4, seed)
    moved = logits[rng.permutation(12)][:, rng.permutation(4)] + shift
    assert etran_energy(logits=moved, embeddings=z, share=share) == pytest.approx(
        etran_energy(logits=logits, embeddings=z, share=share) + shift, rel=1e-9, abs=1e-12
    )


# 4. errors


@pytest.mark.parametrize("share", [0, -0.5, 1.5, float("nan")])
def test_share_out_of_range(share):
    logits, z = data()
    with pytest.raises(InputError, match=f"above 0 and at most 1, but is {share}"):
        etran_energy(logits=logits, embeddings=z, share=share)


def test_unknown_source():
    logits, z = data()
    with pytest.raises(InputError, match="'logits' or 'embeddings', but is 'features'"):
        etran_energy(logits=logits, embeddings=z, source="features")
