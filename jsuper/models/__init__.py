"""What is trained: toy models of storage and of computation, and their activations."""

from jsuper.models.activations import exrelu, jumprelu
from jsuper.models.computation import ComputationModel, absolute
from jsuper.models.toy import HiddenReLUModel, Params, ToyModel, notebook_std, xavier_std

__all__ = [
    "ComputationModel",
    "HiddenReLUModel",
    "Params",
    "ToyModel",
    "absolute",
    "exrelu",
    "jumprelu",
    "notebook_std",
    "xavier_std",
]
