"""jsuper trains grids of toy models of superposition and measures their geometry."""

import importlib
import sys
from typing import TYPE_CHECKING

from jsuper.explorer import explore
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
from jsuper.files import load, save
from jsuper.geometry.embeddings import (
    cosines,
    dimensions_per_feature,
    feature_dimensionality,
    feature_norms,
    interference,
    is_dedicated,
    is_represented,
    superposition,
)
from jsuper.geometry.neurons import (
    basis_alignment,
    features_per_neuron,
    monosemanticity,
    rescale_neurons,
)
from jsuper.models.activations import exrelu, jumprelu
from jsuper.models.computation import ComputationModel, absolute
from jsuper.models.toy import HiddenReLUModel, ToyModel, notebook_std, xavier_std
from jsuper.objectives.population import Population, population_loss
from jsuper.objectives.task import Task
from jsuper.pytrees import pytree, static
from jsuper.results.criteria import converged, holds_from
from jsuper.results.curvature import curvature, polish
from jsuper.results.joining import concat
from jsuper.results.losses import losses
from jsuper.results.measures import measure
from jsuper.results.minima import minima
from jsuper.results.order import rearrange
from jsuper.results.seeds import best_seed, lowest
from jsuper.sweeps.devices import use_cpu_cores
from jsuper.sweeps.snapshots import snapshots
from jsuper.sweeps.sweep import sweep
from jsuper.training import Recipe, decaying_adam, evaluate, notebook_optimizer, train
from jsuper.version import VERSION

if TYPE_CHECKING:
    from jsuper import adversarial, plots, polytopes, theory

__version__ = VERSION

__all__ = [
    "AnticorrelatedFeatures",
    "ComputationModel",
    "CorrelatedFeatures",
    "ExclusiveFeatures",
    "GroupedFeatures",
    "HiddenReLUModel",
    "HierarchicalFeatures",
    "JoinedFeatures",
    "Population",
    "Recipe",
    "SparseFeatures",
    "Task",
    "ToyModel",
    "absolute",
    "adversarial",
    "basis_alignment",
    "best_seed",
    "concat",
    "converged",
    "cosines",
    "curvature",
    "decaying_adam",
    "dimensions_per_feature",
    "evaluate",
    "explore",
    "exrelu",
    "feature_dimensionality",
    "feature_norms",
    "features_per_neuron",
    "geometric_importance",
    "holds_from",
    "interference",
    "is_dedicated",
    "is_represented",
    "jumprelu",
    "load",
    "log_densities",
    "log_importance",
    "losses",
    "lowest",
    "measure",
    "minima",
    "monosemanticity",
    "notebook_optimizer",
    "notebook_std",
    "plots",
    "polish",
    "polytopes",
    "population_loss",
    "pytree",
    "rearrange",
    "rescale_neurons",
    "save",
    "snapshots",
    "static",
    "superposition",
    "sweep",
    "theory",
    "train",
    "uniform_importance",
    "use_cpu_cores",
    "xavier_std",
]


# Where modules of one flat folder have gone; their old names can still be imported.
_MOVED = {
    "activations": "models.activations",
    "computation": "models.computation",
    "devices": "sweeps.devices",
    "feature_sets": "features.sets",
    "fused": "objectives.fused",
    "grid": "sweeps.grid",
    "measures": "results.measures",
    "neurons": "geometry.neurons",
    "provenance": "sweeps.provenance",
    "pytree": "pytrees",
    "task": "objectives.task",
    "threefry": "features.threefry",
}
for _old, _new in _MOVED.items():
    sys.modules[f"jsuper.{_old}"] = importlib.import_module(f"jsuper.{_new}")


def __getattr__(name: str):
    # Loaded on first use: a script that only trains never pays for matplotlib.
    if name in ("adversarial", "affixes", "experiments", "plots", "polytopes", "theory"):
        return importlib.import_module(f"jsuper.{name}")
    if name in _MOVED:
        return sys.modules[f"jsuper.{name}"]
    raise AttributeError(f"module 'jsuper' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
