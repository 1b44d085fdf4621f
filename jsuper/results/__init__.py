"""Datasets in, datasets out."""

from jsuper.results.measures import best_seed, measure

__all__ = ["best_seed", "measure"]
