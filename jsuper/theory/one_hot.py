r"""One feature at a time: the exact loss as sparsity goes to 1, and its regular polygons.

In the limit of high sparsity the loss is that of one active feature. Let the feature
$j$, each with probability $1/c$, be the only active one, $x = \mu e_j$ with $\mu$ uniform
on [0, 1]: `jsuper.AnticorrelatedFeatures` of one set of $c$ and density 1. The loss of
the tied model $x' = \mathrm{ReLU}(W W^\top x + b)$, summed over features, is then

$$L = \frac{H(W, b)}{3c}, \qquad H = 3 \sum_{i,j} I_i \int_0^1
  \bigl(\delta_{ij}\, \mu - \mathrm{ReLU}(W_i \cdot W_j\, \mu + b_i)\bigr)^2 d\mu.$$

Chen, Lau, Mendel, Wei and Murfet 2023, "Dynamical versus Bayesian Phase Transitions in a
Toy Model of Superposition" (arXiv 2310.06301), give $H$ in closed form and name its
stationary points in two hidden dimensions: a *k-gon* has $k$ features at the corners of a
regular polygon, all with the same bias, and its other $c - k$ features are dead.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from numpy.polynomial import Polynomial

from jsuper.precision import full_precision
from jsuper.validation import check_count


@full_precision
def one_hot_potential(W: ArrayLike, b: ArrayLike, importance: ArrayLike = 1.0) -> jax.Array:
    r"""Returns the potential $H$ of one-hot features, exactly and differentiably.

    An output is a straight line in $\mu$, cut off where it is negative. Between
    $\mu = s$ and $\mu = e$, where it is positive, the error is a line too, and three
    times the integral of the square of a line from $p$ to $q$ is
    $(e - s)(p^2 + pq + q^2)$. Below $s$ the active feature itself is lost, $s^3$.

    Args:
        W: Weights, shape (..., n_features, n_hidden).
        b: Biases, shape (..., n_features).
        importance: Importances $I_i$, one number or shape (..., n_features).

    Returns:
        $H$, shape (...). Of $c$ features, the paper's loss (a sum over features) is
        $H / 3c$ and that of `jsuper.Task` (their mean) $H / 3c^2$.

    Example:
        >>> square = jnp.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
        >>> one_hot_potential(square, jnp.zeros(4))
        Array(0., dtype=float32)
    """
    W, b = jnp.asarray(W), jnp.asarray(b)
    a = W @ jnp.swapaxes(W, -1, -2)
    bias = jnp.broadcast_to(b[..., None], a.shape)
    own = jnp.eye(a.shape[-1], dtype=a.dtype)
    # Dividing where no line crosses 0 would bring infinities into the gradient.
    crosses = (a * bias < 0) & (abs(bias) < abs(a)) & (abs(a) > 1e-12)
    crossing = jnp.where(crosses, -bias / jnp.where(crosses, a, 1.0), 0.0)
    positive = (bias > 0) | (a + bias > 0)
    start = jnp.where(positive, jnp.where(a > 0, crossing, 0.0), 1.0)
    end = jnp.where(crosses & (a < 0), crossing, 1.0)
    p = (own - a) * start - bias
    q = (own - a) * end - bias
    squares = (end - start) * (p**2 + p * q + q**2) + own * start**3
    return jnp.sum(jnp.asarray(importance)[..., None] * squares, axis=(-2, -1))


@dataclasses.dataclass(frozen=True)
class KGon:
    r"""A stationary regular polygon of one-hot features in two hidden dimensions.

    Args:
        k: Number of corners.
        radius: $\lVert W_i \rVert$ of its features.
        bias: $b_i$ of its features, at most 0.
        potential: Their part $\sum_i H_i$ of the potential, all of it if $c = k$.
    """

    k: int
    radius: float
    bias: float
    potential: float

    def loss(self, n_features: int, positive_biases: int = 0) -> float:
        r"""Returns the loss with the other features dead, $L = H / 3c$.

        A dead feature adds 1 to $H$. A bias of $1/2c$ instead of one of at most 0 lowers
        that to $1 - 3/4c$: its constant output is then right on average. The k-gon with
        $\sigma$ such biases is called $k^{\sigma+}$.

        Args:
            n_features: $c$, at least ``k``.
            positive_biases: $\sigma$, up to $c - k$.

        Returns:
            The paper's loss, a sum over features.

        Raises:
            ValueError: If a count is out of range.

        Example:
            >>> round(k_gon(5).loss(6), 5), round(k_gon(5).loss(6, positive_biases=1), 5)
            (0.06874, 0.0618)
        """
        self._check(n_features, positive_biases)
        c = n_features
        return (self.potential + c - self.k - positive_biases * 0.75 / c) / (3 * c)

    def params(self, n_features: int, positive_biases: int = 0) -> dict[str, np.ndarray]:
        """Returns the weights and biases; dead features come last.

        Args:
            n_features: Number of features $c$, at least ``k``.
            positive_biases: How many dead features have the bias $1/2c$; the first of
                them do, the biases of the others are 0.

        Returns:
            ``W`` of shape (n_features, 2) and ``b`` of shape (n_features,).

        Raises:
            ValueError: If a count is out of range.
        """
        self._check(n_features, positive_biases)
        angles = 2 * np.pi * np.arange(self.k) / self.k
        W, b = np.zeros((n_features, 2)), np.zeros(n_features)
        W[: self.k] = self.radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        b[: self.k] = self.bias
        b[self.k : self.k + positive_biases] = 1 / (2 * n_features)
        return {"W": W, "b": b}

    def _check(self, n_features: int, positive_biases: int) -> None:
        check_count("n_features", n_features, lowest=self.k)
        check_count("positive_biases", positive_biases, lowest=0)
        if positive_biases > n_features - self.k:
            raise ValueError(
                f"positive_biases must be at most n_features - k = {n_features - self.k}, "
                f"got {positive_biases}"
            )


def k_gon(k: int) -> KGon:
    r"""Returns the stationary k-gon with biases of at most 0.

    Let $\ell = \lVert W_i \rVert^2$, $b_i = -t \ell$ and $c_d = \cos(2 \pi d / k)$.
    Feature $i + d$ gives the output $\mathrm{ReLU}(\ell (c_d \mu - t))$ of feature $i$,
    whose part of the potential is therefore a quadratic function of $\ell$,

    $$h = 1 - \ell A + \ell^2 B, \qquad A = (1 - t)^2 (2 + t), \qquad
      B = \sum_{d:\, c_d > t} \frac{(c_d - t)^3}{c_d},$$

    stationary at $\ell = A / 2B$, where $h = 1 - A^2 / 4B$. What remains is to find where
    $A^2 / B$ is stationary: a quartic equation in $t$ for each set of neighbours that
    interfere. By symmetry the point is then stationary in all directions.

    Up to 203 corners there is exactly one. Chen et al. 2023 state that there is none for
    $9 \le k \le 203$, unless 4 divides k. That holds if all neighbours at an acute angle
    are to interfere, as they do for k = 4 to 8 and 12; the others found here have a bias
    that silences some of them. At k = 9 even that is a local minimum.

    Args:
        k: Number of corners, at least 4.

    Returns:
        The k-gon.

    Raises:
        ValueError: If ``k`` is not an integer of at least 4.

    Example:
        >>> pentagon = k_gon(5)
        >>> round(pentagon.radius, 5), round(pentagon.bias, 5)
        (1.17046, -0.2823)
    """
    check_count("k", k, lowest=4)
    if k == 4:  # No neighbour interferes: A²/B = (1 - t) (2 + t)², stationary at t = 0.
        return KGon(k, 1.0, 0.0, 0.0)
    # The feature itself, and neighbours at an acute angle on both sides.
    cosines = np.cos(2 * np.pi * np.arange((k - 1) // 4 + 1) / k)
    nearer = [Polynomial([c, -1]) for c in cosines]
    weights = np.where(cosines == 1, 1, 2) / cosines
    squares = np.cumsum([w * p**2 for w, p in zip(weights, nearer, strict=True)])
    cubes = np.cumsum([w * p**3 for w, p in zip(weights, nearer, strict=True)])
    found = []
    for n in range(1, len(cosines)):  # neighbours on each side that interfere
        # (A²/B)' = 0 without the factors that vanish at t = 1 only.
        slope = Polynomial([2, 2]) * cubes[n] - Polynomial([2, -1, -1]) * squares[n]
        roots = slope.roots()
        lowest = cosines[n + 1] if n + 1 < len(cosines) else 0.0
        for t in roots.real[abs(roots.imag) < 1e-9]:
            if lowest <= t < cosines[n]:
                A, B = (1 - t) ** 2 * (2 + t), cubes[n](t)
                radius = float((A / (2 * B)) ** 0.5)
                potential = float(k * (1 - A**2 / (4 * B)))
                found.append(KGon(k, radius, float(-t * radius**2), potential))
    return min(found, key=lambda solution: solution.potential)
