import numpy as np
import pytest
import torch

from tests.scores.initialisation.data import clouds, rings
from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import Estimate, adapter_gain
from zoo_eval.scores.initialisation._adapter import AdaptedProbe
from zoo_eval.scores.initialisation._heads import cross_entropies, descend, parts

SHAPES = [(5, 3), (1, 3), (4, 5), (5, 4)]


def started(seed=0):
    """Two heads whose probe is not 0 any more, with A still at its start and Z = 0."""
    head = AdaptedProbe(5, 3, 4)
    heads = head.new(2, seed)
    heads[:, :18] = torch.randn((2, 18), generator=torch.Generator().manual_seed(1))
    z = torch.randn((2, 7, 5), generator=torch.Generator().manual_seed(2))
    return head, heads, z


# 1. closed forms: the adapter


def test_at_the_start_it_changes_nothing_to_the_bit():
    head, heads, z = started()
    assert torch.equal(head.adapted(heads, z), head.plain(heads, z))
    weights, bias, out, into = parts(head.new(2, 0), SHAPES)
    assert not weights.any()
    assert not bias.any()
    assert not out.any()
    assert into.std() > 0


def test_first_gradients():
    # ∂L/∂A = 0 exactly, and ∂L/∂Z = Σ φ(A z) (∂L/∂z′)ᵀ.
    head, heads, z = started()
    ids = torch.arange(14).reshape(2, 7) % 3
    heads.requires_grad_()
    loss = cross_entropies(head.adapted(heads, z), ids)
    (gradient,) = torch.autograd.grad(loss.sum(), heads)
    _, _, of_out, of_into = parts(gradient, SHAPES)
    assert not of_into.any()
    weights, _, _, into = parts(heads.detach(), SHAPES)
    probabilities = torch.softmax(head.plain(heads.detach(), z), dim=2)
    of_logits = (probabilities - torch.nn.functional.one_hot(ids, 3)) / 7
    of_embeddings = of_logits @ weights.transpose(1, 2)
    expected = torch.relu(z @ into).transpose(1, 2) @ of_embeddings
    torch.testing.assert_close(of_out, expected, rtol=1e-4, atol=1e-6)


# 1. closed forms: the score


def test_no_steps_are_no_gain():
    z, labels = clouds()
    found = adapter_gain(embeddings=z, labels=labels, steps=0)
    assert (found, found.low, found.high) == (0, 0, 0)


def test_no_gain_where_the_probe_is_always_right():
    labels = np.arange(60) % 3
    assert adapter_gain(embeddings=np.eye(3)[labels], labels=labels) == 0


def test_gain_where_no_line_divides_the_classes():
    z, labels = rings()
    found = adapter_gain(embeddings=z, labels=labels, steps=300)
    assert found.low > 0.1
    assert isinstance(found, Estimate)


# 2. independent values


def test_the_plain_probe_is_torchs_linear_layer_under_sgd():
    generator = torch.Generator().manual_seed(0)
    x, ids = torch.randn((1, 30, 4), generator=generator), torch.arange(30)[None] % 3
    head = AdaptedProbe(4, 3, 2)
    ends = descend(
        head.new(1, 0), lambda now: cross_entropies(head.plain(now, x), ids), rate=0.5, steps=25
    )
    layer = torch.nn.Linear(4, 3)
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    for _ in range(25):
        layer.zero_grad()
        torch.nn.functional.cross_entropy(layer(x[0]), ids[0]).backward()
        with torch.no_grad():
            for weight in layer.parameters():
                weight -= 0.5 * weight.grad
    torch.testing.assert_close(head.plain(ends, x)[0], layer(x[0]), rtol=1e-4, atol=1e-5)


# 3. symmetries


def test_unchanged_by_shift_and_scale_and_class_names():
    z, labels = clouds()
    found = adapter_gain(embeddings=z, labels=labels, steps=30)
    assert adapter_gain(embeddings=8 * z, labels=labels * 3 + 2, steps=30) == found
    shifted = adapter_gain(embeddings=z + 1, labels=labels, steps=30)
    assert shifted == pytest.approx(found, abs=0.05)  # rounding may turn an axis around


# 4. errors


@pytest.mark.parametrize(
    ("option", "value", "least"),
    [("rank", 0, 1), ("steps", -1, 0), ("shots", 0, 1), ("heads", 1, 2)],
)
def test_options_that_are_too_small(option, value, least):
    z, labels = clouds()
    with pytest.raises(InputError, match=f"{option} must be ≥ {least}, but is {value}"):
        adapter_gain(embeddings=z, labels=labels, **{option: value})


def test_small_classes_and_equal_embeddings_are_undefined():
    z, labels = clouds(per_class=10)
    with pytest.raises(ScoreUndefinedError, match=r"0 of 4 classes have more than 10; .* has 10"):
        adapter_gain(embeddings=z, labels=labels)
    with pytest.raises(ScoreUndefinedError, match="All 40 embeddings are equal"):
        adapter_gain(embeddings=np.ones((40, 3)), labels=labels, shots=5)
