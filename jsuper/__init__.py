"""jsuper trains grids of toy models of superposition and measures their geometry."""

import importlib
import importlib.metadata
from typing import TYPE_CHECKING

from jsuper.activations import exrelu as exrelu
from jsuper.activations import jumprelu as jumprelu
from jsuper.devices import use_cpu_cores as use_cpu_cores
from jsuper.features import SparseFeatures as SparseFeatures
from jsuper.features import geometric_importance as geometric_importance
from jsuper.features import log_densities as log_densities
from jsuper.features import log_importance as log_importance
from jsuper.features import uniform_importance as uniform_importance
from jsuper.files import load as load
from jsuper.files import save as save
from jsuper.geometry import dimensions_per_feature as dimensions_per_feature
from jsuper.geometry import feature_dimensionality as feature_dimensionality
from jsuper.geometry import feature_norms as feature_norms
from jsuper.geometry import interference as interference
from jsuper.geometry import is_dedicated as is_dedicated
from jsuper.geometry import is_represented as is_represented
from jsuper.geometry import superposition as superposition
from jsuper.measures import best_seed as best_seed
from jsuper.measures import measure as measure
from jsuper.models import ToyModel as ToyModel
from jsuper.models import notebook_std as notebook_std
from jsuper.models import xavier_std as xavier_std
from jsuper.sweep import sweep as sweep
from jsuper.task import Task as Task
from jsuper.training import Recipe as Recipe
from jsuper.training import train as train

if TYPE_CHECKING:
    from jsuper import plots as plots
    from jsuper import theory as theory

__version__ = importlib.metadata.version("jsuper")


def __getattr__(name: str):
    # Loaded on first use: a script that only trains never pays for matplotlib.
    if name in ("plots", "theory"):
        return importlib.import_module(f"jsuper.{name}")
    raise AttributeError(f"module 'jsuper' has no attribute {name!r}")
