"""A predictor on made-up zoos of which the answer is known."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression

from zoo_eval.correlation.held_out import Settings, hold_out, put_together
from zoo_eval.correlation.prediction import ALL, MOST_FEATURES
from zoo_eval.correlation.predictor import SIZES, predict_accuracy
from zoo_eval.correlation.predictor_methods import METHODS, features_behind
from zoo_eval.errors import InputError


def zoo(seed=0, families=30, each=8, use_of_score=0.1):
    """Accuracy from size, a score, its family and noise; the score is apart from the size."""
    rng = np.random.default_rng(seed)
    n = families * each
    models = pd.Index([f"net{i}" for i in range(n)], name="model")
    size, score = rng.normal(size=(2, n))
    of_family = np.repeat(rng.normal(size=families), each)
    truth = 0.7 + 0.03 * size + use_of_score * score + 0.01 * of_family
    truth += 0.01 * rng.normal(size=n)
    features = pd.DataFrame(
        {
            "params": np.exp(17 + size),
            "macs": np.exp(21 + size + 0.3 * rng.normal(size=n)),
            "activations": np.exp(16 + size + 0.5 * rng.normal(size=n)),
            "score": 10 ** (3 * score),
            "noise": rng.normal(size=n),
        },
        models,
    )
    names = np.repeat([f"family{i}" for i in range(families)], each)
    return features, pd.Series(truth, models), pd.Series(names, models)


@pytest.fixture(scope="module")
def useful():
    return predict_accuracy(*zoo(), folds=2)


@pytest.mark.parametrize("method", ["ridge", "trees"])
def test_a_useful_score_beats_size_and_is_the_most_important(method):
    found = predict_accuracy(*zoo(families=14), method=method, folds=2)
    assert found.beats_size
    assert found.importance.index[0] == "score"
    assert found.quality["mae"].idxmin() == ALL
    assert found.quality["rho"][ALL] > 0.8
    assert f"{method} on 5 features beats every set of sizes (params, macs, " in found.verdict


def test_one_size_is_enough():
    found = predict_accuracy(*zoo(), sizes=["macs"], folds=2)
    assert found.quality.index.tolist() == [ALL, "macs"]
    assert "beats every set of sizes (macs), the best being macs: " in found.verdict


def test_noise_does_not_beat_size():
    found = predict_accuracy(*zoo(use_of_score=0.0), folds=2)
    assert not found.beats_size
    assert " on 5 features does not beat " in found.verdict
    assert f"absolute error is {found.quality['mae'][ALL]:.4f} against " in found.verdict
    assert abs(found.importance["importance"]["noise"]) < 0.002


def test_the_figures_are_those_of_the_predictions(useful):
    models, row = useful.models, useful.quality.loc[ALL]
    errors = (models["predicted"] - models["accuracy"]).abs()
    assert row["mae"] == pytest.approx(errors.mean(), rel=1e-12)
    assert row["rho"] == pytest.approx(
        stats.spearmanr(models["predicted"], models["accuracy"]).statistic, rel=1e-9
    )
    total = ((models["accuracy"] - models["accuracy"].mean()) ** 2).sum()
    assert row["r2"] == pytest.approx(1 - (errors**2).sum() / total, rel=1e-9)
    inside = (models["low"] <= models["accuracy"]) & (models["accuracy"] <= models["high"])
    assert useful.coverage_of_models == pytest.approx(inside.mean(), rel=1e-12)
    by_family = inside.groupby(models["family"]).mean()
    assert useful.coverage == pytest.approx(by_family.mean(), rel=1e-12)
    for size in (*SIZES, "params + macs + activations"):
        line = useful.quality.loc[size]
        assert line["gain"] == pytest.approx(line["mae"] - row["mae"], rel=1e-9)
        assert line["gain_low"] < line["gain"] < line["gain_high"]


def test_every_family_is_in_one_fold_and_every_fold_is_used(useful):
    folds = useful.models.groupby("family")["fold"].nunique()
    assert (folds == 1).all()
    assert sorted(useful.models["fold"].unique()) == [0, 1]


def test_no_model_is_predicted_from_its_own_family():
    # The accuracy of a family is written on its models, and says nothing of another family:
    # who has seen the family knows it, who has not does not.
    rng = np.random.default_rng(0)
    features, _, families = zoo(each=4, use_of_score=0.0)
    mark = families.map(dict(zip(families.unique(), rng.normal(size=30), strict=True)))
    truth = families.map(dict(zip(families.unique(), rng.uniform(0.5, 0.9, 30), strict=True)))
    features["score"] = mark
    found = predict_accuracy(features, truth, families, method="trees", folds=2)
    assert found.quality["r2"][ALL] < 0.2
    seen = LinearRegression().fit(pd.get_dummies(families), truth)
    assert seen.score(pd.get_dummies(families), truth) > 0.99


@pytest.mark.parametrize("method", ["ridge", "trees"])
def test_of_many_features_the_strongest_of_the_training_models_are_used(method):
    features, truth, families = zoo(families=12)
    rng = np.random.default_rng(1)
    noise = {f"noise{i}": rng.normal(size=96) for i in range(MOST_FEATURES)}
    noise["noise0"][::3] = np.nan
    many = pd.concat([pd.DataFrame(noise, features.index), features], axis=1)
    found = predict_accuracy(many, truth, families, method=method, folds=2)
    assert found.quality["features"][ALL] == MOST_FEATURES + 5
    assert found.importance.index[0] == "score"
    assert found.quality["rho"][ALL] > 0.4
    columns = (
        METHODS[method].prepare(*many.shape).fit(many.to_numpy(), truth).transform(many.to_numpy())
    )
    per_feature = {"ridge": 5, "trees": 1}[method]
    assert columns.shape == (96, MOST_FEATURES * per_feature)


def test_the_columns_of_a_feature_are_known_also_with_gaps():
    features, truth, _ = zoo(families=4)
    features["score"] = features["score"].mask(np.arange(32) % 3 == 0)
    prepared = METHODS["ridge"].prepare(32, 5).fit(features.to_numpy(), truth)
    columns = prepared.transform(features.to_numpy())
    behind = features_behind(prepared, columns.shape[1])
    for place, name in enumerate(features):
        changed = features.copy()
        changed[name] = np.nan if name == "score" else changed[name].iloc[::-1].to_numpy()
        other = prepared.transform(changed.to_numpy())
        assert set(behind[(other != columns).any(axis=0)]) == {place}


@pytest.mark.parametrize("level", [0.7, 0.9])
def test_intervals_cover_held_out_families_about_as_often_as_they_say(level):
    shares = []
    for seed in range(2):
        features, truth, _ = zoo(seed, families=60, each=4)
        ids, y = np.repeat(np.arange(60), 4), truth.to_numpy()
        settings = Settings(METHODS["ridge"], 4, level, seed)
        x = features.to_numpy()
        found = put_together([hold_out(x, y, ids, settings, k) for k in range(4)], *x.shape)
        shares.append(np.mean((found.low <= y) & (y <= found.high)))
    # 120 families in all; 2 standard errors of a share of so many are 0.08 and 0.05.
    assert level - 0.08 <= np.mean(shares) <= level + 0.08


def test_a_monotone_map_of_a_feature_changes_little_for_ridge(useful):
    features, truth, families = zoo()
    features[list(SIZES)] = np.log(features[list(SIZES)])
    features["score"] = np.log(features["score"])
    found = predict_accuracy(features, truth, families, folds=2)
    # Ranks between those of training models are interpolated on the feature's own scale.
    known = useful.models["predicted"]
    assert found.models["predicted"].corr(known) > 0.995


@pytest.mark.parametrize("method", ["ridge", "trees"])
def test_missing_infinite_and_constant_features_are_no_obstacle(method):
    features, truth, families = zoo(families=12)
    rng = np.random.default_rng(0)
    features["score"] = features["score"].mask(rng.uniform(size=96) < 0.3)
    features.iloc[0, 3] = np.inf
    features["never"] = np.nan
    features["one family"] = features["noise"].where(families == "family3")
    features["constant"] = 1.0
    truth["net5"] = np.nan
    found = predict_accuracy(features, truth, families, method=method, folds=2, level=0.8)
    assert len(found.models) == 95
    assert np.isfinite(found.models[["predicted", "low", "high"]]).all(axis=None)
    assert found.importance.loc[["never", "constant"], "importance"].abs().max() < 1e-12
    assert found.quality["rho"][ALL] > 0.5


def test_the_same_seed_gives_the_same_and_another_seed_other_folds(useful):
    again = predict_accuracy(*zoo(), folds=2)
    pd.testing.assert_frame_equal(again.models, useful.models)
    pd.testing.assert_frame_equal(again.quality, useful.quality)
    pd.testing.assert_frame_equal(again.importance, useful.importance)
    other = predict_accuracy(*zoo(), folds=2, seed=1)
    assert (other.models["fold"] != useful.models["fold"]).any()


def test_few_families_have_infinite_intervals_and_cover_all():
    found = predict_accuracy(*zoo(families=8), folds=2)
    assert np.isinf(found.models[["low", "high"]]).all(axis=None)
    assert found.coverage == 1
    assert np.isfinite(found.models["predicted"]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 20}, "needs at least 40 families with an accuracy, but there are 30"),
        ({"folds": 1}, "2 folds or more and a level between 0 and 1, not 1 and 0.9"),
        ({"level": 1.0}, "not 5 and 1"),
        ({"method": "forest"}, "one of ridge, trees, not 'forest'"),
        ({"sizes": ["params", "flops"]}, r"among the features; \['flops'\] is not"),
        ({"sizes": []}, "among the features; none is not"),
    ],
)
def test_what_cannot_be_used_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        predict_accuracy(*zoo(), **options)


def test_nothing_to_predict_or_nothing_to_predict_from_is_refused():
    features, truth, families = zoo()
    with pytest.raises(InputError, match="no feature but the sizes params, macs, activations"):
        predict_accuracy(features[list(SIZES)], truth, families)
    with pytest.raises(InputError, match=r"the accuracy is 0\.5 for all 240 models"):
        predict_accuracy(features, truth * 0 + 0.5, families)
    with pytest.raises(InputError, match="columns of the scores must be distinct"):
        predict_accuracy(pd.concat([features, features[["score"]]], axis=1), truth, families)


def test_the_other_statistics_do_without_scikit_learn():
    code = "import sys, zoo_eval.correlation; print('sklearn' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "False\n"
