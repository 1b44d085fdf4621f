"""Datasets in, datasets out."""

from jsuper.results.measures import measure
from jsuper.results.seeds import best_seed, lowest

__all__ = ["best_seed", "lowest", "measure"]
