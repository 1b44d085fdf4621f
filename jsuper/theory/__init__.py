"""Closed forms: what trained models can be held against, in float64 NumPy."""

from jsuper.theory.pairs import (
    PAIR_LIMIT,
    dedicated_loss,
    drop_loss,
    general_pair_loss,
    pair_boundary,
    pair_fixed_point,
    pair_loss,
)

__all__ = [
    "PAIR_LIMIT",
    "dedicated_loss",
    "drop_loss",
    "general_pair_loss",
    "pair_boundary",
    "pair_fixed_point",
    "pair_loss",
]
