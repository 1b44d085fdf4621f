"""jsuper trains grids of toy models of superposition and measures their geometry."""

import importlib
import importlib.metadata
from typing import TYPE_CHECKING

from jsuper.activations import exrelu, jumprelu
from jsuper.computation import ComputationModel, absolute
from jsuper.devices import use_cpu_cores
from jsuper.feature_sets import AnticorrelatedFeatures, CorrelatedFeatures
from jsuper.features import (
    SparseFeatures,
    geometric_importance,
    log_densities,
    log_importance,
    uniform_importance,
)
from jsuper.files import load, save
from jsuper.geometry import (
    dimensions_per_feature,
    feature_dimensionality,
    feature_norms,
    interference,
    is_dedicated,
    is_represented,
    superposition,
)
from jsuper.measures import best_seed, measure
from jsuper.models import HiddenReLUModel, ToyModel, notebook_std, xavier_std
from jsuper.neurons import (
    basis_alignment,
    features_per_neuron,
    monosemanticity,
    rescale_neurons,
)
from jsuper.snapshots import snapshots
from jsuper.sweep import sweep
from jsuper.task import Task
from jsuper.training import Recipe, decaying_adam, evaluate, notebook_optimizer, train

if TYPE_CHECKING:
    from jsuper import adversarial, plots, polytopes, theory

__version__ = importlib.metadata.version("jsuper")

__all__ = [
    "AnticorrelatedFeatures",
    "ComputationModel",
    "CorrelatedFeatures",
    "HiddenReLUModel",
    "Recipe",
    "SparseFeatures",
    "Task",
    "ToyModel",
    "absolute",
    "adversarial",
    "basis_alignment",
    "best_seed",
    "decaying_adam",
    "dimensions_per_feature",
    "evaluate",
    "exrelu",
    "feature_dimensionality",
    "feature_norms",
    "features_per_neuron",
    "geometric_importance",
    "interference",
    "is_dedicated",
    "is_represented",
    "jumprelu",
    "load",
    "log_densities",
    "log_importance",
    "measure",
    "monosemanticity",
    "notebook_optimizer",
    "notebook_std",
    "plots",
    "polytopes",
    "rescale_neurons",
    "save",
    "snapshots",
    "superposition",
    "sweep",
    "theory",
    "train",
    "uniform_importance",
    "use_cpu_cores",
    "xavier_std",
]


def __getattr__(name: str):
    # Loaded on first use: a script that only trains never pays for matplotlib.
    if name in ("adversarial", "plots", "polytopes", "theory"):
        return importlib.import_module(f"jsuper.{name}")
    raise AttributeError(f"module 'jsuper' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
