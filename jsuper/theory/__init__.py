"""Closed forms, to compare trained models with.

Float64 NumPy throughout, except functions that training needs: those are in JAX, as
their docs say.
"""

from jsuper.theory.bounds import (
    coherence,
    packing_limit,
    recovery_dimensions,
    welch_bound,
)
from jsuper.theory.capacity import (
    capacity_loss,
    marginal_value,
    optimal_capacities,
    polysemantic_density,
    polysemantic_kurtosis,
    quadratic_loss,
    two_feature_optimum,
)
from jsuper.theory.one_hot import KGon, k_gon, one_hot_potential
from jsuper.theory.pairs import (
    PAIR_LIMIT,
    dedicated_loss,
    drop_loss,
    general_pair_loss,
    pair_boundary,
    pair_fixed_point,
    pair_loss,
)
from jsuper.theory.phases import (
    best_phase,
    nearest_phase,
    phase_boundary,
    phase_losses,
    phase_weights,
)

__all__ = [
    "PAIR_LIMIT",
    "KGon",
    "best_phase",
    "capacity_loss",
    "coherence",
    "dedicated_loss",
    "drop_loss",
    "general_pair_loss",
    "k_gon",
    "marginal_value",
    "nearest_phase",
    "one_hot_potential",
    "optimal_capacities",
    "packing_limit",
    "pair_boundary",
    "pair_fixed_point",
    "pair_loss",
    "phase_boundary",
    "phase_losses",
    "phase_weights",
    "polysemantic_density",
    "polysemantic_kurtosis",
    "quadratic_loss",
    "recovery_dimensions",
    "two_feature_optimum",
    "welch_bound",
]
