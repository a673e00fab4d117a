"""Partners and two tiers on made-up networks whose worth is known."""

from itertools import combinations

import numpy as np
import pytest

from zoo_eval.ensembles.families import two_tiers
from zoo_eval.ensembles.members import Members
from zoo_eval.ensembles.partners import partners

N = 1200
LABELS = np.arange(N) % 3


def knowing(places: np.ndarray, seed: int = 0) -> np.ndarray:
    """Logits: right and sure of itself on these images; guesses on the others, and says so."""
    rng = np.random.default_rng(seed)
    logits = 0.1 * rng.standard_normal((N, 3))
    logits[places, LABELS[places]] += 4
    return logits


def guessing(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((N, 3))


PLACES = np.random.default_rng(7).permutation(N)


@pytest.fixture(scope="module")
def found():
    logits = {
        "first": knowing(PLACES[:800], 1),
        "its twin": knowing(PLACES[:800], 2),
        "other third": knowing(PLACES[800:], 3),
    }
    return {one.model: one for one in partners(Members.of(logits, LABELS))}


def test_the_partner_is_the_one_that_knows_the_rest(found):
    assert found["first"].partner == found["its twin"].partner == "other third"
    one = found["first"]
    assert one.together == one.either_right == 1.0
    assert one.both_wrong == 0.0
    assert one.accuracy == pytest.approx(2 / 3 + 1 / 9, abs=0.03)
    assert one.added == one.together - one.accuracy == pytest.approx(one.gain)
    assert one.low < one.gain < one.high


def test_for_the_weaker_one_the_partner_is_worth_more_than_the_pair_gains(found):
    weak = found["other third"]
    assert weak.added == pytest.approx(weak.together - weak.accuracy)
    assert weak.gain == pytest.approx(weak.together - weak.accuracy_partner)
    assert weak.added > weak.gain > 0


def test_what_two_networks_do_to_each_image_is_counted_once(found):
    for one in found.values():
        only_one = one.either_right - (one.accuracy + one.accuracy_partner - one.either_right)
        assert one.either_right + one.both_wrong == pytest.approx(1)
        assert only_one <= one.disagreement + 1e-12
        assert one.together <= 1 - one.both_wrong + 0.05


def test_a_copy_gains_nothing():
    z = guessing(0)
    for one in partners(Members.of({"a": z, "b": z.copy()}, LABELS)):
        assert (one.gain, one.added, one.disagreement) == (0.0, 0.0, 0.0)
        assert one.low < 0 < one.high
        assert one.either_right == one.accuracy == one.together == one.together_plain


def test_the_luckiest_partner_of_guessers_gains_nothing_where_it_was_not_chosen():
    gains, covered = [], 0
    for seed in range(12):
        members = Members.of({f"m{k}": guessing(100 * seed + k) for k in range(8)}, LABELS)
        found = partners(members)
        gains += [one.gain for one in found]
        covered += sum(one.low <= 0 <= one.high for one in found)
    assert abs(np.mean(gains)) < 0.01
    assert covered / len(gains) > 0.88  # 96 of 95 %, dependent within a zoo


def test_the_partner_is_the_best_of_all_on_the_choosing_half():
    members = Members.of({f"m{k}": guessing(k) for k in range(6)}, LABELS)
    images = members.halves.choosing

    def accuracy(*names: str) -> float:
        mean = np.mean([members.calibrated[name][images] for name in names], axis=0)
        return float((mean.argmax(axis=1) == LABELS[images]).mean())

    for one in partners(members):
        pairs = [pair for pair in combinations(members.names, 2) if one.model in pair]
        assert accuracy(one.model, one.partner) == max(accuracy(*pair) for pair in pairs)


def test_the_judging_half_chooses_nothing():
    logits = {f"m{k}": guessing(k) for k in range(6)}
    members = Members.of(logits, LABELS)
    for z in logits.values():
        z[members.halves.judging] = guessing(99)[members.halves.judging]
    before = [(one.model, one.partner) for one in partners(members)]
    assert [(one.model, one.partner) for one in partners(Members.of(logits, LABELS))] == before


# Families


def test_a_family_that_knows_all_takes_all_the_weight():
    logits = {"a1": guessing(1), "a2": guessing(2), "b": knowing(np.arange(N))}
    families, averages = two_tiers(Members.of(logits, LABELS), {"a1": "a", "a2": "a", "b": "b"})
    assert [(each.family, each.n_models) for each in families] == [("b", 1), ("a", 2)]
    assert families[0].weight > 0.99
    assert sum(each.weight for each in families) == pytest.approx(1)
    assert sum(each.weight_plain for each in families) == pytest.approx(1)
    assert [each.name for each in averages] == [
        "b alone",
        "mean of all networks",
        "mean of all families",
        "weighted families",
    ]
    assert averages[0].gain == 0.0
    assert averages[-1].accuracy == averages[0].accuracy == 1.0
    assert averages[-1].log_loss < averages[1].log_loss


def test_a_family_is_the_mean_of_its_networks():
    """Of three that each see the truth in noise, the mean has a third of the noise's variance."""
    rng = np.random.default_rng(0)
    truth = 1.5 * np.eye(3)[LABELS]
    noisy = {f"a{k}": truth + rng.standard_normal((N, 3)) for k in range(3)}
    members = Members.of({**noisy, "b": guessing(9)}, LABELS)
    families, averages = two_tiers(members, {**dict.fromkeys(noisy, "a"), "b": "b"})
    one = families[0]
    images = members.halves.judging
    mean = sum(members.calibrated[name][images] for name in noisy).argmax(axis=1)
    assert one.accuracy == (mean == LABELS[images]).mean()
    assert one.accuracy > one.best_alone
    weighted = averages[-1]
    assert weighted.low <= weighted.gain <= weighted.high
    assert weighted.gain == pytest.approx(weighted.accuracy - averages[0].accuracy)


def test_calibration_mends_the_log_loss_of_networks_too_sure_of_themselves():
    rng = np.random.default_rng(1)
    noisy = {f"m{k}": 6 * (np.eye(3)[LABELS] + rng.standard_normal((N, 3))) for k in range(2)}
    _, averages = two_tiers(Members.of(noisy, LABELS), {"m0": "a", "m1": "b"})
    assert all(each.log_loss < each.log_loss_plain for each in averages)
