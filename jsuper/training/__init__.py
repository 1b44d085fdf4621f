"""How models are trained: the recipe, its optimizer, and the compiled loop."""

from jsuper.training.loop import (
    DATA,
    EVALUATION,
    INIT,
    OPTIMIZER,
    TaskGrid,
    TrainState,
    advance,
    counter_based,
    evaluate,
    has_population_loss,
    not_in_expectation,
    population_losses,
    start,
    train,
)
from jsuper.training.optimizers import Optimizer
from jsuper.training.recipe import Recipe, decaying_adam, notebook_optimizer

__all__ = [
    "DATA",
    "EVALUATION",
    "INIT",
    "OPTIMIZER",
    "Optimizer",
    "Recipe",
    "TaskGrid",
    "TrainState",
    "advance",
    "counter_based",
    "decaying_adam",
    "evaluate",
    "has_population_loss",
    "not_in_expectation",
    "notebook_optimizer",
    "population_losses",
    "start",
    "train",
]
