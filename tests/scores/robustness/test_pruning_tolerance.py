from tests.scores.robustness.by_hand import prune
from zoo_eval.scores.robustness.pruning_tolerance import pruning_tolerance


def test_equals_trying_pruned_copies(trained):
    borne = 0.0
    for share in (0.1, 0.2, 0.3, 0.5, 0.7, 0.9):
        if trained.agreement(prune(share)) <= 0.99:
            break
        borne = share
    assert pruning_tolerance(**trained.givens()) == borne


def test_no_more_is_borne_at_random(trained):
    for measure in ("agreement", "cka"):
        at_random = pruning_tolerance(**trained.givens(), measure=measure, control=True)
        assert at_random <= pruning_tolerance(**trained.givens(), measure=measure)
