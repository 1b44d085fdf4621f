"""Datasets in, datasets out."""

from jsuper.results.criteria import converged, holds_from
from jsuper.results.joining import concat
from jsuper.results.measures import measure
from jsuper.results.seeds import best_seed, lowest

__all__ = ["best_seed", "concat", "converged", "holds_from", "lowest", "measure"]
