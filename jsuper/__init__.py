"""jsuper trains grids of toy models of superposition and measures their geometry."""

from jsuper.activations import exrelu as exrelu
from jsuper.activations import jumprelu as jumprelu
from jsuper.features import SparseFeatures as SparseFeatures
from jsuper.features import geometric_importance as geometric_importance
from jsuper.features import log_densities as log_densities
from jsuper.features import log_importance as log_importance
from jsuper.features import uniform_importance as uniform_importance
from jsuper.models import ToyModel as ToyModel
from jsuper.sweep import sweep as sweep
from jsuper.sweep import use_cpu_cores as use_cpu_cores
from jsuper.task import Task as Task
from jsuper.training import Recipe as Recipe
from jsuper.training import train as train
