"""From weights to numbers, inside `jax.jit`: of embeddings, and of single neurons."""

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

__all__ = [
    "basis_alignment",
    "cosines",
    "dimensions_per_feature",
    "feature_dimensionality",
    "feature_norms",
    "features_per_neuron",
    "interference",
    "is_dedicated",
    "is_represented",
    "monosemanticity",
    "rescale_neurons",
    "superposition",
]
