"""Where inputs come from: features, their moments, and the curves of their numbers."""

from jsuper.features.curves import (
    geometric_importance,
    log_densities,
    log_importance,
    uniform_importance,
)
from jsuper.features.sets import AnticorrelatedFeatures, CorrelatedFeatures
from jsuper.features.sparse import SparseFeatures

__all__ = [
    "AnticorrelatedFeatures",
    "CorrelatedFeatures",
    "SparseFeatures",
    "geometric_importance",
    "log_densities",
    "log_importance",
    "uniform_importance",
]
