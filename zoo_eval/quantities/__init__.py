"""Quantities: computed once per (model, weights, dataset) and shared by scores.

Every module of this package that defines one with `@quantity` is found, and read, not imported:
see `zoo_eval.declarations`.
"""

import pkgutil

from zoo_eval.declarations import declarations
from zoo_eval.quantities._quantity import (
    GIVEN_DEFAULTS,
    GIVENS,
    QUANTITIES,
    Precision,
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
    "Precision",
    "Quantity",
    "Resolver",
    "belongs_to_dataset",
    "check_given",
    "closure",
    "needs_of",
    "quantity",
    "timed",
]

for _found in pkgutil.iter_modules(__path__, prefix=f"{__name__}."):
    declarations(_found.name, registering=("quantity", "QUANTITIES"))
