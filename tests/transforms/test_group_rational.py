import pytest
import torch
import torch.nn.functional as F

from zoo_eval.errors import InputError
from zoo_eval.transforms.group_rational import GroupRational

X = torch.linspace(-3, 3, 64 * 16).view(64, 16)


def test_identity_is_exact():
    assert torch.equal(GroupRational("identity")(X), X)


@pytest.mark.parametrize(
    ("start", "exact", "error"), [("gelu", F.gelu, 4e-3), ("swish", F.silu, 2e-6)]
)
def test_starts(start, exact, error):
    assert (GroupRational(start).double()(X.double()) - exact(X.double())).abs().max() < error


def test_a_group_has_its_own_channels_and_all_share_the_numerator():
    layer = GroupRational("identity")
    with torch.no_grad():
        layer.denominators[3, 1] = -0.5  # of which the magnitude counts
    y = layer(X)
    own = slice(3 * 16 // 8, 4 * 16 // 8)
    torch.testing.assert_close(y[:, own], X[:, own] / (1 + 0.5 * X[:, own] ** 2))
    others = torch.ones(16, dtype=torch.bool)
    others[own] = False
    assert torch.equal(y[:, others], X[:, others])
    with torch.no_grad():
        layer.numerator[0] = 1
    torch.testing.assert_close(layer(X)[:, others], X[:, others] + 1)


def test_maps_have_their_channels_along_axis_1():
    tokens, maps = GroupRational("gelu"), GroupRational("gelu", axis=1)
    with torch.no_grad():
        tokens.denominators.uniform_(-1, 1)
        maps.load_state_dict(tokens.state_dict())
    x = torch.randn(2, 5, 4, 16)
    torch.testing.assert_close(maps(x.movedim(-1, 1)), tokens(x).movedim(-1, 1))


def test_gradients_by_finite_differences():
    layer = GroupRational("gelu", groups=2).double()
    with torch.no_grad():
        layer.denominators.add_(0.1)  # away from 0, where |b| has a corner
    x = X[:6, :4].double().clone().requires_grad_()
    a, b = (p.detach().clone().requires_grad_() for p in layer.parameters())

    def run(x, a, b):
        return torch.func.functional_call(layer, {"numerator": a, "denominators": b}, (x,))

    assert torch.autograd.gradcheck(run, (x, a, b))


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="one of identity, gelu, swish, but is 'relu'"):
        GroupRational("relu")
    with pytest.raises(InputError, match=r"12 channels .* along axis -1 do not fall into 8 groups"):
        GroupRational()(torch.ones(2, 12))


def test_groups_that_begin_alike_learn_to_differ():
    layer = GroupRational("identity", groups=2)
    x = X[:, :4]
    target = torch.cat([x[:, :2] / (1 + 0.3 * x[:, :2] ** 2), x[:, 2:]], dim=1)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.01)
    for _ in range(200):
        optimizer.zero_grad()
        loss = F.mse_loss(layer(x), target)
        loss.backward()
        optimizer.step()
    assert (layer.denominators[0] - layer.denominators[1]).abs().max() > 0.02
    assert loss < 1e-3
