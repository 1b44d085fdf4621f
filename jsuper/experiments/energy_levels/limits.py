"""Where the pentagon stops being the best minimum, and where it stops being one at all.

Two computations, which share neither the algorithm of the loss nor the optimizer nor the
way to second derivatives, give each of these densities.
"""

import functools
from typing import Any

import jax
import numpy as np
import scipy.optimize
import xarray as xr

import jsuper as js
from jsuper import polytopes
from jsuper.objectives.expected import expected_loss


class Surface:
    """The expected loss of five features over flat parameters (W, then b), float64.

    Args:
        importance: Shape (5,).
        by_differences: How the expectation is computed: by differences with derivatives of
            their own (`jsuper.expectations.differences`), or by the recurrence of boxes
            with those of JAX.
    """

    def __init__(self, importance: np.ndarray, by_differences: bool):
        self.newton, self.importance = by_differences, importance
        self._value_and_grad, self._hessian = _compiled(by_differences)

    def value_and_grad(self, flat: np.ndarray, density: float) -> Any:
        """The loss and its gradient."""
        return self._value_and_grad(flat, density, self.importance)

    def hessian(self, flat: np.ndarray, density: float) -> np.ndarray:
        """Exact second derivatives, or central differences of the gradient."""
        if self.newton:
            return np.asarray(self._hessian(flat, density, self.importance))
        h = 1e-5
        columns = [
            (self.value_and_grad(flat + h * e, density)[1])
            - self.value_and_grad(flat - h * e, density)[1]
            for e in np.eye(len(flat))
        ]
        hessian = np.stack(columns) / (2 * h)
        return (hessian + hessian.T) / 2

    def settled(self, flat: np.ndarray, density: float) -> tuple[np.ndarray, float]:
        """The minimum nearby, by a trust region or by BFGS, and its loss."""
        how = {"method": "BFGS", "options": {"gtol": 1e-10}}
        if self.newton:
            options = {"gtol": 1e-11, "initial_trust_radius": 0.02}
            how = {"method": "trust-exact", "options": options, "hess": self.hessian}
        found = scipy.optimize.minimize(
            lambda x, p: tuple(map(np.asarray, self.value_and_grad(x, p))),
            flat,
            args=(density,),
            jac=True,
            **how,
        )
        return found.x, float(found.fun)

    def lowest_eigenvalue(self, flat: np.ndarray, density: float) -> float:
        """The lowest eigenvalue of the Hessian that is not the rotation's."""
        turned = weights(flat) @ np.array([[0, 1], [-1, 0]])
        along = np.append(turned, np.zeros(5)) / np.linalg.norm(turned)
        across = np.eye(len(flat)) - np.outer(along, along)
        lifted = across @ self.hessian(flat, density) @ across + np.outer(along, along)
        return float(np.linalg.eigvalsh(lifted)[0])


@functools.cache
def _compiled(by_differences: bool) -> tuple[Any, Any]:
    """The loss with its gradient, and the Hessian, compiled once for all importances."""

    def loss(flat, density, importance):
        task = js.Task(js.SparseFeatures(5, density), js.ToyModel(5, 2), importance)
        params = {"W": flat[:10].reshape(5, 2), "b": flat[10:]}
        return expected_loss(task, params, by_differences)

    return jax.jit(jax.value_and_grad(loss)), jax.jit(jax.jacfwd(jax.grad(loss)))


def of_pentagon(levels: xr.Dataset, importance: np.ndarray, step: float) -> xr.Dataset:
    """Returns the limits of the pentagon, each from both computations.

    Args:
        levels: Minima with their ``level``, at descending densities.
        importance: Shape (5,).
        step: Of the logarithm of the density, by which minima are followed at most.

    Returns:
        ``crossing`` (way): the density above which another minimum is better;
        ``end`` (way): that above which the pentagon is no minimum; ``successor``: the name
        of the better one; ``falls_to``: what a pentagon beyond its end becomes.
    """
    best = levels["level"].isel(minimum=0).values
    place = int(np.flatnonzero(best == "pentagon")[0])
    at, above = (float(levels["density"][i]) for i in (place, place - 1))
    found: dict[str, list[float]] = {"crossing": [], "end": []}
    falls_to = ""
    with jax.enable_x64(True):
        starts = [flat_of(levels.isel(density=i, minimum=0)) for i in (place, place - 1)]
        for by_differences in (True, False):
            surface = Surface(importance, by_differences)
            pentagon = Branch(surface, starts[0], at, step)
            other = Branch(surface, starts[1], above, step)
            end, falls_to = pentagon.end()

            def excess(log, pentagon=pentagon, other=other):
                p = float(np.exp(log))
                return pentagon.loss(p) - other.loss(p)

            ends = np.log([at, min(above, end)]).tolist()
            crossing: Any = scipy.optimize.brentq(excess, *ends, xtol=1e-9)
            found["crossing"].append(float(np.exp(crossing)))
            found["end"].append(end)
    ways = {"way": ["differences, Newton", "boxes, BFGS"]}
    ds = xr.Dataset({name: ("way", values) for name, values in found.items()}, ways)
    return ds.assign(successor=str(best[place - 1]), falls_to=falls_to)


class Branch:
    """A minimum that is followed over density in small steps.

    Args:
        surface: The loss.
        flat: Where it starts.
        density: The density of the start.
        step: Largest step, in the logarithm of the density.
    """

    JUMP = 0.2
    """Change of a product of embeddings in one step with which it is another minimum."""

    def __init__(self, surface: Surface, flat: np.ndarray, density: float, step: float):
        self.surface, self.step, self.name = surface, step, geometry(flat)
        self.known = {density: surface.settled(flat, density)[0]}

    def loss(self, density: float) -> float:
        """Its loss at a density that it reaches."""
        became = self.followed(density)
        if became != self.name:
            raise ValueError(f"density must be one with a {self.name}, got {density}")
        return float(self.surface.value_and_grad(self.known[density], density)[0])

    def followed(self, density: float) -> str:
        """Follows it to a density; returns its name, or what it becomes on the way."""
        while density not in self.known:
            nearest = min(self.known, key=lambda p: abs(np.log(p / density)))
            gap = np.clip(np.log(density / nearest), -self.step, self.step)
            last = abs(gap) < self.step
            p = density if last else float(nearest * np.exp(gap))
            flat, _ = self.surface.settled(self.known[nearest], p)
            # Its shape may change as long as it does so steadily.
            if np.abs(gram(flat) - gram(self.known[nearest])).max() > self.JUMP:
                return geometry(flat)
            if self.surface.lowest_eigenvalue(flat, p) <= 0:
                return "a saddle"
            self.known[p] = flat
        return self.name

    def end(self) -> tuple[float, str]:
        """The density above which it is a minimum no more, and what it becomes then."""
        inside, outside, becomes = max(self.known), 1.0, ""
        while outside / inside > 1 + 1e-6:
            density = float(np.sqrt(inside * outside))
            if (name := self.followed(density)) == self.name:
                inside = density
            else:
                outside, becomes = density, name
            inside = max(inside, *self.known)
        return inside, becomes


def flat_of(model: xr.Dataset) -> np.ndarray:
    """Flat parameters of one model of a dataset."""
    W = model["W"].transpose("feature", "hidden").values
    return np.append(W, model["b"].values).astype(float)


def geometry(flat: np.ndarray) -> str:
    """The name of what a model's features form."""
    return " + ".join(sorted(block.name for block in polytopes.identify(weights(flat))))


def gram(flat: np.ndarray) -> np.ndarray:
    """The products of all embeddings, which no rotation changes."""
    return weights(flat) @ weights(flat).T


def weights(flat: np.ndarray) -> np.ndarray:
    """The weights among flat parameters, which they begin with."""
    return np.asarray(flat[:10]).reshape(5, 2)
