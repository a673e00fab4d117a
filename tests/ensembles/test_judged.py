"""What a share of right answers, and a difference of two of them, are worth."""

import numpy as np
import pytest

from zoo_eval.ensembles.judged import judged, paired_interval


def test_one_more_right_image_outweighs_all_likelihoods():
    labels = np.array([0, 1, 0])
    sure = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    unsure = np.array([[0.51, 0.49], [0.49, 0.51], [0.51, 0.49]])
    right, worth = judged(sure, labels)
    assert right.tolist() == [True, False, True]
    assert worth.sum() == 2 + 2 / 4
    assert judged(unsure, labels)[1].sum() == pytest.approx(3 + 3 * 0.51 / 4)


def test_the_interval_is_agresti_and_mins():
    # Section 2 of the paper: +2 to n, ½ to each count; here by the four counts themselves.
    counts = np.array([60, 18, 7, 15]) + 0.5  # both right, only one, only the other, neither
    p = counts / counts.sum()
    difference = p[1] - p[2]
    deviation = np.sqrt((p[1] + p[2] - difference**2) / counts.sum())
    low, high = paired_interval(18.0, 7.0, 100)
    assert (low, high) == pytest.approx(
        (difference - 1.959964 * deviation, difference + 1.959964 * deviation), abs=1e-6
    )


@pytest.mark.parametrize(("better", "worse"), [(0.04, 0.01), (0.1, 0.1), (0.3, 0.05)])
def test_the_interval_covers(better, worse):
    rng = np.random.default_rng(0)
    counts = rng.multinomial(100, [better, worse, 1 - better - worse], 2000)
    inside = [
        low <= better - worse <= high
        for low, high in (paired_interval(float(b), float(c), 100) for b, c, _ in counts)
    ]
    assert 0.93 < np.mean(inside) < 0.985
