import copy
import csv

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from torch import nn

import zoo_eval
from tests.zoo import write_job, write_zoo
from zoo_eval import Store
from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.manifest import Manifest
from zoo_eval.models.build import build_model
from zoo_eval.scores.robustness.averaging_barrier import averaging_barrier
from zoo_eval.transforms.averaging import averaged_network

IMAGES = torch.randn(12, 3, 8, 8, generator=torch.Generator().manual_seed(0))
LABELS = np.arange(12) % 5


class Linear(nn.Module):
    """A linear classifier with timm's interface."""

    def __init__(self, seed: int):
        super().__init__()
        torch.manual_seed(seed)
        self.head = nn.Linear(192, 5)

    def forward_features(self, x):
        return x.flatten(1)

    def forward_head(self, x, pre_logits=False):
        return x if pre_logits else self.head(x)

    def forward(self, x):
        return self.forward_head(self.forward_features(x))


class Normed(Linear):
    def __init__(self, seed: int):
        super().__init__(seed)
        self.norm = nn.BatchNorm2d(3)

    def forward_features(self, x):
        return self.norm(x).flatten(1)


def barrier(one, other, **options):
    return averaging_barrier(one, other, IMAGES.split(5), IMAGES, LABELS, **options)


def loss(network, images=IMAGES) -> float:
    with torch.no_grad():
        logits = network.eval()(images).double().numpy()
    return -log_softmax(logits, axis=1)[np.arange(12), LABELS].mean()


def test_the_loss_of_a_linear_network_is_convex_so_its_barrier_is_not_positive():
    one, other = Linear(0), Linear(1)
    middle = averaged_network(one, other)
    expected = loss(middle) - (loss(one) + loss(other)) / 2
    assert expected < 0
    assert barrier(one, other) == pytest.approx(expected, abs=1e-6)


def test_corrected_it_is_that_of_the_corrected_average():
    one, other = Linear(0), Linear(1)
    middle = averaged_network(one, other, corrected=True)
    expected = loss(middle) - (loss(one) + loss(other)) / 2
    assert barrier(one, other, corrected=True) == pytest.approx(expected, abs=1e-6)
    assert barrier(one, other, corrected=True) > barrier(one, other)


@pytest.mark.parametrize("kind", [Linear, Normed])
def test_no_barrier_to_itself(kind):
    one = kind(0).eval()
    assert barrier(one, copy.deepcopy(one)) == pytest.approx(0, abs=1e-6)


def test_statistics_of_batch_norm_do_not_matter():
    one, other = Normed(0).eval(), Normed(1).eval()
    value = barrier(one, other)
    one.norm.running_mean.fill_(3.0)
    other.norm.running_var.fill_(0.1)
    assert barrier(one, other) == pytest.approx(value, abs=1e-9)
    assert one.norm.running_mean.tolist() == [3.0] * 3


def test_permuted_neurons_make_a_barrier():
    """The same function with its hidden neurons in another order: averaged, it is another one."""
    torch.manual_seed(0)

    class Hidden(Linear):
        def __init__(self):
            super().__init__(0)
            self.body, self.head = nn.Linear(192, 64), nn.Linear(64, 5)

        def forward_features(self, x):
            return self.body(x.flatten(1)).relu()

    one = Hidden()
    optimizer = torch.optim.Adam(one.parameters(), 1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(one(IMAGES), torch.from_numpy(LABELS)).backward()
        optimizer.step()
    other, order = copy.deepcopy(one), torch.randperm(64)
    other.body.weight.data = one.body.weight.data[order]
    other.body.bias.data = one.body.bias.data[order]
    other.head.weight.data = one.head.weight.data[:, order]
    assert loss(other) == pytest.approx(loss(one), abs=1e-5)
    assert loss(one) < 0.01
    assert barrier(one, other) > loss(one)


def test_what_has_no_value():
    with pytest.raises(ScoreUndefinedError, match="the manifest names none for this model"):
        barrier(Linear(0), None)
    with pytest.raises(ScoreUndefinedError, match="classes include the dataset's"):
        averaging_barrier(Linear(0), Linear(1), [IMAGES], IMAGES, None)


def test_in_a_run_the_sibling_of_the_manifest_is_taken(tmp_path):
    path = write_zoo(tmp_path, 3, ("test_resnet",))
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))

    def rewrite(sibling: str) -> None:
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, [*rows[0], "sibling"], restval="")
            writer.writeheader()
            writer.writerows([{**rows[0], "sibling": sibling}, *rows[1:]])

    rewrite("test_resnet.s1")
    scores = '["params", "averaging_retention", "averaging_barrier"]'
    job = write_job(tmp_path, path, scores=scores)
    store = Store(tmp_path / "r.duckdb")
    assert zoo_eval.run(job, store, workers=1, limit=2).n_failed == 0
    found = store.scores().set_index(["model", "score"])
    lines = Manifest.load(path).lines
    networks = [build_model(line, "pretrained", 0) for line in lines[:2]]
    value = zoo_eval.scores.averaging_retention(model=networks[0], sibling_model=networks[1])
    assert found.at[("test_resnet.s0", "averaging_retention"), "value"] == pytest.approx(value)
    assert np.isfinite(found.at[("test_resnet.s0", "averaging_barrier"), "value"])
    why = found.at[("test_resnet.s1", "averaging_barrier"), "undefined_because"]
    assert "the manifest names none" in why
    # Another sibling is other work, for what looks at it alone.
    rewrite("test_resnet.s2")
    assert zoo_eval.run(job, store, workers=1, limit=2).n_ok == 1
    tall = store.sql(
        "SELECT score, count(*) AS n FROM scores WHERE model LIKE '%s0' GROUP BY score"
    )
    counts = dict(zip(tall["score"], tall["n"], strict=True))
    assert counts == {"params": 1, "averaging_retention": 2, "averaging_barrier": 2}
