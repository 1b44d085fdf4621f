"""What a model is to minimise, and faster ways to the same numbers."""

from jsuper.objectives.task import Task

__all__ = ["Task"]
