"""Where inputs come from: features, their moments, and the curves of their numbers."""

from jsuper.features.composition import JoinedFeatures
from jsuper.features.curves import (
    geometric_importance,
    log_densities,
    log_importance,
    uniform_importance,
)
from jsuper.features.groups import ExclusiveFeatures, GroupedFeatures
from jsuper.features.hierarchy import HierarchicalFeatures
from jsuper.features.sets import AnticorrelatedFeatures, CorrelatedFeatures
from jsuper.features.sparse import SparseFeatures

__all__ = [
    "AnticorrelatedFeatures",
    "CorrelatedFeatures",
    "ExclusiveFeatures",
    "GroupedFeatures",
    "HierarchicalFeatures",
    "JoinedFeatures",
    "SparseFeatures",
    "geometric_importance",
    "log_densities",
    "log_importance",
    "uniform_importance",
]
