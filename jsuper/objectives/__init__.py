"""What a model is to minimise, and faster ways to the same numbers."""

from jsuper.objectives.population import Population, population_loss
from jsuper.objectives.task import Task

__all__ = ["Population", "Task", "population_loss"]
