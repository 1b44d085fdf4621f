r"""The antipodal pair under ExReLU, in closed form.

It is the simplest superposition: two features share one dimension with opposite signs,
$W = (\sqrt a, -\sqrt a)$, each with bias $b$. With both features uniform on [0, 1] and of
density $p$, its outputs are

$$x'_1 = \mathrm{ExReLU}_t(a (x_1 - x_2) + b), \quad
  x'_2 = \mathrm{ExReLU}_t(a (x_2 - x_1) + b).$$

With $t = 0$ and $a = 1, b = 0$ a lone feature is reproduced exactly: its interference
with the other is negative, and cut off. A threshold $t < 0$ lets interference weaker
than $|t|$ through (Murphy and Qiao, "Toy Models of Superposition Review", section 3).
All losses are sums over the features concerned, $E \sum_i I_i (x_i - x'_i)^2$ (the
paper's loss; `jsuper.Task` divides by the number of features), in float64 NumPy.
"""

import numpy as np
from numpy.polynomial import polynomial as poly
from numpy.typing import ArrayLike


def pair_loss(
    density: ArrayLike,
    threshold: ArrayLike,
    importance: tuple[float, float] = (1.0, 1.0),
) -> np.ndarray:
    r"""Returns the loss of an ideal antipodal pair, $a = 1$ and $b = 0$.

    With $\tau = \min(|t|, 1)$,

    $$L = (I_1 + I_2) \left[ p (1 - p) \frac{\tau^3}{3} + p^2 \left( \frac1{12}
      + \frac{\tau}{3} - \frac{\tau^4}{12} + \frac{(1 - \tau)^4}{12} \right) \right].$$

    The first term is what one active feature costs: for $t < 0$ the interference up to
    $|t|$ that gets through on the other output, for $t > 0$ its own values below $t$
    that do not. The second is the cost of two active at once. At $t = 0$ it is
    $(I_1 + I_2) p^2 / 6$, as in Elhage et al. 2022, "Superposition as a Phase Change".

    Args:
        density: $p$ in [0, 1], any shape.
        threshold: $t$, broadcast against ``density``.
        importance: $I_1$ and $I_2$.

    Returns:
        The loss, of the broadcast shape.

    Example:
        >>> round(float(pair_loss(0.1, 0.0)), 6)
        0.003333
    """
    p = np.asarray(density, float)
    tau = np.minimum(np.abs(np.asarray(threshold, float)), 1.0)
    alone = tau**3 / 3
    together = 1 / 12 + tau / 3 - tau**4 / 12 + (1 - tau) ** 4 / 12
    return sum(importance) * (p * (1 - p) * alone + p**2 * together)


def general_pair_loss(density: float, threshold: float, gain: float, bias: float) -> float:
    r"""Returns the loss of a pair of any gain $a$ and bias $b$, importances 1.

    Exact: polynomials integrated between the points where an output crosses $t$. Given
    the difference $d$ of two active features, $x_1$ is uniform with mean $(1 + d) / 2$,
    which leaves integrals over $d$ alone.

    Args:
        density: $p$ in [0, 1].
        threshold: $t$ in $[-\infty, \infty)$.
        gain: $a = \lVert W_i \rVert^2$, positive.
        bias: $b$.

    Returns:
        The loss.

    Example:
        >>> round(general_pair_loss(0.1, -0.25, 1.0, 0.0), 6)
        0.004792
    """
    p, t, a, b = density, threshold, gain, bias
    own, other = np.array([b, a]), np.array([b, -a])  # outputs when only x_1 is active
    x = np.array([0.0, 1.0])
    cut = np.clip((t - b) / a, 0, 1)  # own output passes for x above this
    reach = np.clip((b - t) / a, 0, 1)  # the other's for x below this
    alone = (
        1 / 3
        + _integral(poly.polysub(poly.polymul(own, own), 2 * poly.polymul(own, x)), cut, 1)
        + _integral(poly.polymul(other, other), 0, reach)
    )
    gained = poly.polysub(poly.polymul(own, own), poly.polymul(own, [1.0, 1.0]))
    start = np.clip((t - b) / a, -1, 1)  # both active: it passes for d above this
    together = (
        1 / 3
        + _integral(poly.polymul(gained, [1.0, 1.0]), min(start, 0.0), 0)
        + _integral(poly.polymul(gained, [1.0, -1.0]), max(start, 0.0), 1)
    )
    neither = b**2 if b >= t else 0.0
    return 2 * ((1 - p) ** 2 * neither + p * (1 - p) * alone + p**2 * together)


def drop_loss(density: ArrayLike, threshold: ArrayLike = 0.0) -> np.ndarray:
    r"""Returns the least loss of a feature that is not represented, importance 1.

    A constant output $b$ costs $p/3 - p b + b^2$, least at $b = p / 2$, which passes the
    activation if $t \le p / 2$; above, the choice is between $b = t$ and silence:

    $$L = \frac p3 - \begin{cases} p^2 / 4 & t \le p / 2 \\ t (p - t) & p/2 < t < p \\
      0 & t \ge p. \end{cases}$$

    Args:
        density: $p$ in [0, 1], any shape.
        threshold: $t$, broadcast against ``density``.

    Returns:
        The loss, of the broadcast shape.
    """
    p, t = np.asarray(density, float), np.asarray(threshold, float)
    b = np.clip(t, p / 2, p)
    return p / 3 - b * (p - b)


def dedicated_loss(density: ArrayLike, threshold: ArrayLike = 0.0) -> np.ndarray:
    r"""Returns the loss of a feature alone in a dimension ($a = 1$, $b = 0$).

    0 for $t \le 0$; for $t > 0$ the values below $t$ are lost, which costs $p t^3 / 3$.

    Args:
        density: $p$ in [0, 1], any shape.
        threshold: $t$, broadcast against ``density``.

    Returns:
        The loss, of the broadcast shape.
    """
    p, t = np.asarray(density, float), np.asarray(threshold, float)
    return p * np.clip(t, 0, 1) ** 3 / 3


def pair_boundary(
    threshold: ArrayLike, importance: tuple[float, float] = (1.0, 1.0)
) -> np.ndarray:
    r"""Returns the density below which a pair beats dropping one feature, for $t \le 0$.

    The ideal pair costs as much as the first feature dedicated and the second dropped at

    $$p^* = \frac{I_2 - (I_1 + I_2)\,\tau^3}
                 {3 (I_1 + I_2)(E - \tau^3 / 3) + \tfrac34 I_2},$$

    with $E$ the bracket of $p^2$ in `pair_loss`. $\tau = 0$ gives $4r / (2 + 5r)$ for
    importances $(1, r)$, $r \le 1$, the paper's phase boundary; from
    $\tau^3 = I_2 / (I_1 + I_2)$ on, 0.79 for equal importances, this pair is not worth its
    interference at any density. A pair free to choose $a$ and $b$ does slightly better.

    Args:
        threshold: $t \le 0$, any shape.
        importance: $I_1$ of the feature kept and $I_2 \le I_1$ of the one in question.

    Returns:
        Densities in [0, 1], of the shape of ``threshold``; 0 where the pair never
        wins, NaN where t > 0.

    Example:
        >>> pair_boundary([0.0, -0.25, -0.9]).round(3)
        array([0.571, 0.517, 0.   ])
    """
    t = np.asarray(threshold, float)
    tau = np.minimum(np.abs(t), 1.0)
    both, second = sum(importance), importance[1]
    together = 1 / 12 + tau / 3 - tau**4 / 12 + (1 - tau) ** 4 / 12
    gain = second - both * tau**3
    boundary = np.clip(gain / (3 * both * (together - tau**3 / 3) + 0.75 * second), 0, 1)
    return np.where(t > 0, np.nan, boundary)


def pair_fixed_point(threshold: ArrayLike) -> np.ndarray:
    r"""Returns where gradient descent holds an antipodal pair, at vanishing density.

    Gradient descent does not see ExReLU's jump. As $p \to 0$ biases go to 0, only one
    feature is active at a time, and the gradient that it does follow is, up to a factor,

    $$\int_0^1 (a - 1)\, x^2\, dx + \int_0^{\tau / a} a\, x^2\, dx
      = \frac{a - 1}{3} + \frac{\tau^3}{3 a^2}, \qquad \tau = -t \le a.$$

    So the pair is stationary where $a^2 (1 - a) = \tau^3$, at the larger root

    $$a = \frac13 + \frac23 \cos\left( \frac13 \arccos\left( 1 - \frac{27}{2} \tau^3
      \right) \right),$$

    which falls from 1 at $\tau = 0$ to 2/3 at $\tau = (4/27)^{1/3} \approx 0.529$, and
    does not exist beyond, although the pair stays better than dropping a feature up to
    $\tau \approx 0.79$ (`pair_boundary`). The true derivative of the loss has its zero at
    $a > 1$, where $2 (a - 1) a^2 = \tau^3$. The root is stable against unequal norms too,
    since $a > 1/2$. Where it does not exist, norms shrink until all interference passes
    ($a < \tau$) and the model is linear: for $\tau \ge 1/2$ it converges to the linear
    model's valley, the sum of both squared norms 1. A model that starts from small weights
    enters that valley first. Gradient flow conserves the ratio $r$ of the two norms on the
    way, so their product ends at $r / (1 + r^2)$, and the pair forms only if that exceeds
    $\tau$: for $\tau < 1/2$ at best.

    Args:
        threshold: $t \le 0$, any shape.

    Returns:
        The squared norm $a$ of both embeddings, of the shape of ``threshold``; NaN where
        no such point exists, and for $t > 0$ the undisturbed 1.

    Example:
        >>> pair_fixed_point([0.0, -0.25, -0.6]).round(3)
        array([1.   , 0.984,   nan])
    """
    tau = np.maximum(-np.asarray(threshold, float), 0.0)
    cosine = 1 - 13.5 * tau**3
    a = (1 + 2 * np.cos(np.arccos(np.clip(cosine, -1, 1)) / 3)) / 3
    return np.where(cosine < -1 - 1e-12, np.nan, a)


PAIR_LIMIT = -((4 / 27) ** (1 / 3))
"""Threshold below which `pair_fixed_point` does not exist, about -0.529."""


def _integral(coefficients: np.ndarray, start: float, stop: float) -> float:
    """The integral of a polynomial, lowest order first, from ``start`` to ``stop``."""
    primitive = poly.polyint(coefficients)
    return float(poly.polyval(stop, primitive) - poly.polyval(start, primitive))
