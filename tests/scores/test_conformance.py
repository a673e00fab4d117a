"""Every score keeps what every score promises; the checks are in zoo_eval/conformance.

`zoo-eval scores check NAME` shows what they see of one score.
"""

import pytest

from zoo_eval.conformance import checks_of, checks_of_pool_score
from zoo_eval.scores import POOL_SCORES, SCORES

# These train many heads: 2 s a call, and `arrays.class_names` makes twelve. With these they
# do the same with fewer; their defaults are checked by the slow tests.
CHEAPER = {
    "gradient_noise_gain": {"layers": 4, "steps": 60, "heads": 4, "measure": "accuracy"},
    "meta_head_gain": {"episodes": 10, "splits": 2},
}
OF_SCORES = [
    pytest.param(score, check, id=f"{name}-{check.name}")
    for name, score in sorted(SCORES.items())
    for check in checks_of(score)
]
# In train mode, as the published programs leave the network, more can be left behind.
IN_TRAIN_MODE = [
    pytest.param(score, check, id=f"{name}-{check.name}")
    for name, score in sorted(SCORES.items())
    for check in checks_of(score)
    if "mode" in score.options and check.name.startswith("networks.")
]
OF_POOL_SCORES = [
    pytest.param(score, check, id=f"{name}-{check.name}")
    for name, score in sorted(POOL_SCORES.items())
    for check in checks_of_pool_score(score)
]


@pytest.mark.parametrize(("score", "check"), OF_SCORES)
def test_every_score(score, check):
    check.run(score, CHEAPER.get(score.name, {}))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("score", "check"),
    [
        pytest.param(SCORES[name], check, id=f"{name}-{check.name}")
        for name in CHEAPER
        for check in checks_of(SCORES[name])
    ],
)
def test_dear_scores_with_their_defaults(score, check):
    check.run(score, {})


@pytest.mark.parametrize(("score", "check"), IN_TRAIN_MODE)
def test_every_score_in_the_mode_of_its_paper(score, check):
    check.run(score, {"mode": "paper"})


@pytest.mark.parametrize(("score", "check"), OF_POOL_SCORES)
def test_every_pool_score(score, check):
    check.run(score, {})
