"""Quantities: computed once per (model, weights, dataset) and shared by scores."""

from zoo_eval.quantities import (
    activation_patterns,
    blocks,
    clusters,
    distances,
    forward,
    gradient_signs,
    gradients,
    input_gradients,
    resources,
    spectra,
    synaptic_flow,
)
from zoo_eval.quantities._quantity import (
    GIVEN_DEFAULTS,
    GIVENS,
    QUANTITIES,
    Quantity,
    needs_of,
    quantity,
)
from zoo_eval.quantities.graph import belongs_to_dataset, closure
from zoo_eval.quantities.inputs import check_given
from zoo_eval.quantities.resolver import Computed, Resolver, timed

__all__ = [
    "GIVENS",
    "GIVEN_DEFAULTS",
    "QUANTITIES",
    "Computed",
    "Quantity",
    "Resolver",
    "activation_patterns",
    "belongs_to_dataset",
    "blocks",
    "check_given",
    "closure",
    "clusters",
    "distances",
    "forward",
    "gradient_signs",
    "gradients",
    "input_gradients",
    "needs_of",
    "quantity",
    "resources",
    "spectra",
    "synaptic_flow",
    "timed",
]
