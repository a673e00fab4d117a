"""Partial correlations as a table: lines against arrays, intervals against repeated data."""

import numpy as np
import pandas as pd
import pytest

from zoo_eval.correlation import (
    family_resamples,
    partial_kendall,
    partial_spearman,
    size_control,
)
from zoo_eval.errors import InputError


def arrays(zoo, sizes, score, given):
    columns = [zoo["scores_wide"][score], zoo["truth"].rename("truth"), sizes]
    frame = pd.concat(columns, axis=1).reindex(zoo["scores_wide"].index).dropna()
    controls = list(sizes) if given == "all" else [given]
    x, y = frame[score].to_numpy(), frame["truth"].to_numpy()
    return frame.index, x, y, frame[controls].to_numpy()


def test_every_line_is_that_of_the_arrays(small_zoo, small_sizes):
    table = size_control(**small_zoo, controls=small_sizes, resamples=20)
    assert table["score"].tolist() == [s for s in small_zoo["scores_wide"] for _ in range(4)]
    assert table["given"].tolist() == ["params", "macs", "image_size", "all"] * 3
    for row in table.itertuples():
        models, x, y, z = arrays(small_zoo, small_sizes, row.score, row.given)
        assert row.n == len(models)
        assert row.partial_rho == pytest.approx(partial_spearman(x, y, z), rel=1e-9)
        assert row.partial_tau == pytest.approx(partial_kendall(x, y, z), rel=1e-9)
        assert row.undefined_because == ""


@pytest.mark.parametrize("given", ["macs", "all"])
def test_every_interval_is_that_of_repeated_data(small_zoo, small_sizes, given):
    table = size_control(**small_zoo, controls=small_sizes, resamples=30, seed=4)
    row = table[(table["score"] == "gaps") & (table["given"] == given)].iloc[0]
    models, x, y, z = arrays(small_zoo, small_sizes, "gaps", given)
    families = small_zoo["families"][models].tolist()
    drawn = family_resamples(families, 30, seed=4)
    weights = drawn.by_family[drawn.families].astype(int)
    for name, partial in (("rho", partial_spearman), ("tau", partial_kendall)):
        values = [partial(*(np.repeat(v, w, axis=0) for v in (x, y, z))) for w in weights.T]
        expected = np.nanquantile(values, [0.025, 0.975])
        np.testing.assert_allclose([row[f"{name}_low"], row[f"{name}_high"]], expected, rtol=1e-9)


def test_a_logarithm_of_a_control_changes_nothing(small_zoo, small_sizes):
    pd.testing.assert_frame_equal(
        size_control(**small_zoo, controls=np.log(small_sizes), resamples=20),
        size_control(**small_zoo, controls=small_sizes, resamples=20),
    )


def test_what_is_undefined_says_why(small_zoo, small_sizes):
    scores = small_zoo["scores_wide"]
    scores["params"] = np.sqrt(small_sizes["params"])
    scores["constant"] = 2.0
    sizes = small_sizes.assign(channels=3)
    table = size_control(**small_zoo, controls=sizes, resamples=20)
    why = table.set_index(["score", "given"])["undefined_because"]
    assert why["params", "params"] == "params fixes the order of the score or the accuracy"
    assert why["params", "macs"] == ""
    assert why["constant", "macs"] == "the score is 2 for all 37 models"
    assert why["good", "channels"] == why["good", "all"] == "channels is 3 for all 37 models"
    missing = table.set_index(["score", "given"])["partial_rho"].isna()
    assert (missing == (why != "")).all()


def test_one_family_gives_values_without_an_interval(small_zoo, small_sizes):
    several = size_control(**small_zoo, controls=small_sizes, resamples=20)
    small_zoo["families"][:] = "resnet"
    table = size_control(**small_zoo, controls=small_sizes)
    np.testing.assert_allclose(table["partial_rho"], several["partial_rho"], rtol=1e-12)
    assert table["rho_low"].isna().all()
    assert table["undefined_because"].str.contains("of one family").all()


@pytest.mark.parametrize("names", [[], ["all"]], ids=["none", "called all"])
def test_controls_that_cannot_be_used_are_refused(small_zoo, small_sizes, names):
    controls = small_sizes.iloc[:, : len(names)].set_axis(names, axis=1)
    with pytest.raises(InputError, match=r"at least one control, none of them called 'all', but"):
        size_control(**small_zoo, controls=controls)


def test_a_control_known_for_nobody_leaves_no_model(small_zoo, small_sizes):
    table = size_control(**small_zoo, controls=small_sizes.assign(flops=np.nan))
    assert table["n"].eq(0).all()
    assert table["undefined_because"].str.contains("only 0 models").all()
