"""Eigenvalues of a small graph without the rounding of a general solver."""

import numpy as np


def exact_eigenvalues(graph):
    """Absolute eigenvalues from the characteristic polynomial in whole numbers."""
    matrix = graph.astype(int).astype(object)
    identity = np.eye(len(graph), dtype=int).astype(object)
    power, polynomial = identity, [1]
    for degree in range(1, len(graph) + 1):  # Faddeev and LeVerrier
        power = matrix @ power
        polynomial.append(-np.trace(power) // degree)
        power = power + polynomial[-1] * identity
    found = []
    for root in range(10):  # the repeated roots are whole numbers, and are divided out exactly
        while len(polynomial) > 1:
            quotient = [polynomial[0]]
            for coefficient in polynomial[1:]:
                quotient.append(quotient[-1] * root + coefficient)
            if quotient.pop() != 0:
                break
            polynomial, found = quotient, [*found, root]
    return np.abs([*found, *np.roots(np.array(polynomial, dtype=np.float64))])
