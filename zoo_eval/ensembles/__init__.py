"""What networks are worth together: pairs, and weighted averages of families.

All of it is computed from logits on one dataset with labels; no network is run. Probabilities are
averaged, never logits, and each network's are calibrated first.
"""
