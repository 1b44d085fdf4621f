"""The style of all figures: colours, panels, and the labels of axes."""

import functools
import io
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import matplotlib
import matplotlib.figure
import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap
from matplotlib.ticker import Locator, MaxNLocator, NullFormatter, NullLocator

from jsuper import wording
from jsuper.padding import SUFFIX

# The light end of a map is lost on white paper.
SEQUENTIAL = ListedColormap(colormaps["viridis"](np.linspace(0.92, 0, 256)))

PALETTE = {
    "black": "#000000",
    "orange": "#e69f00",
    "sky": "#56b4e9",
    "green": "#009e73",
    "yellow": "#f0e442",
    "blue": "#0072b2",
    "vermilion": "#d55e00",
    "purple": "#cc79a7",
}
"""Colours that colour-blind readers can tell apart (Okabe and Ito 2008)."""


GUIDE: dict[str, Any] = {"color": "0.6", "linewidth": 0.8, "zorder": 0}
"""The look of lines that only guide the eye."""

SERIES: tuple[dict[str, Any], ...] = tuple(
    {"color": PALETTE[color], "marker": marker}
    for color, marker in zip(
        ("blue", "vermilion", "green", "orange", "purple"), "os^Dv", strict=True
    )
)
"""Colour and marker of the first, second, … of a few lines in one panel."""


P = ParamSpec("P")
R = TypeVar("R")


@functools.cache
def look() -> matplotlib.RcParams:
    """The settings of matplotlib that all figures share, from ``paper.mplstyle``."""
    path = Path(__file__).with_name("paper.mplstyle")
    return matplotlib.rc_params_from_file(path, use_default_template=False)


def paper(draw: Callable[P, R]) -> Callable[P, R]:
    """Makes a function draw its figures in the look of the paper, `look`."""

    @functools.wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> R:
        with matplotlib.rc_context(look()):
            return draw(*args, **kwargs)

    return styled


class Figure(matplotlib.figure.Figure):
    """A matplotlib figure that a notebook shows as a picture, without pyplot."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"layout": "constrained", "dpi": 150, **kwargs})

    def draw(self, renderer: Any) -> None:
        """Draws, with ticks in the look of the rest: matplotlib makes them only now."""
        with matplotlib.rc_context(look()):
            super().draw(renderer)

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png")
        return picture.getvalue()


def frame(panel: Axes) -> None:
    """Gives a panel without numbers on its axes a light frame."""
    panel.set(xticks=[], yticks=[])
    panel.spines[:].set(visible=True, color="0.85")


def say(panel: Axes, text: str) -> None:
    """Writes into the middle of a panel why nothing is plotted there."""
    middle: dict[str, Any] = {"ha": "center", "va": "center", "transform": panel.transAxes}
    panel.text(0.5, 0.5, text, color="0.4", **middle)


def panel_grid(rows, columns, width, height, **shared) -> tuple[Figure, Any]:
    """A figure of rows x columns panels, each ``width`` x ``height`` inches."""
    size = (width * columns + 0.9, height * rows + 0.4)
    figure = Figure(figsize=size)
    return figure, figure.subplots(rows, columns, squeeze=False, **shared)


def wrapped_panels(
    n: int, width: float, height: float, max_columns: int = 4, *, shared: bool = True
) -> tuple[Figure, list[Axes]]:
    """A figure of ``n`` panels, at most ``max_columns`` in a row."""
    columns = min(n, max_columns)
    rows = -(-n // columns)
    figure, axes = panel_grid(rows, columns, width, height, sharex=shared, sharey=shared)
    panels = list(axes.ravel())
    for panel in panels[n:]:
        panel.axis("off")
    return figure, panels[:n]


def colorbar(figure, axes, norm, cmap, label, **kwargs) -> None:
    """Puts one colour bar beside all of ``axes``."""
    axes = np.atleast_2d(axes)
    mappable = ScalarMappable(norm, cmap)
    aspect = 25 * max(1, len(axes))
    bar = figure.colorbar(
        mappable, ax=list(axes.ravel()), pad=0.02, aspect=aspect, **kwargs
    )
    bar.set_label(label)


def say_what_is_fixed(figure: matplotlib.figure.Figure, ds: xr.Dataset) -> None:
    """Puts the values of axes that were selected away above the figure."""
    inner = ["seed", "step", "sparsity", "importance"]
    if not _is_exrelu(ds) and "threshold" in ds.coords and (ds["threshold"] == 0).all():
        inner.append("threshold")  # nothing has one
    fixed = [
        coordinate(str(name), value.values[()], exrelu=_is_exrelu(ds))
        for name, value in ds.coords.items()
        if value.ndim == 0 and name not in inner and not str(name).endswith(SUFFIX)
    ]
    if fixed:
        width = max(20, int(12 * figure.get_figwidth()))
        # A threshold stays whole.
        text = ", ".join(fixed).replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")
        figure.suptitle(_wrapped(text, width).replace("\N{NO-BREAK SPACE}", " "))


def axis_name(ds: xr.Dataset, axis: str) -> str:
    """What stands along an axis."""
    name = ds[axis].attrs.get("long_name", axis.replace("_", " "))
    return textwrap.fill(name, 30)


def label(ds: xr.Dataset, axis: str, i: int, *, first: bool = True) -> str:
    """The i-th value of an axis; its name stands with the first of a row of labels."""
    value = ds[axis].values[i]
    named = first or (axis == "threshold" and wording.is_number(value))
    said = coordinate(axis, value, exrelu=_is_exrelu(ds)) if named else value_text(value)
    return _wrapped(said)


def _is_exrelu(ds: xr.Dataset) -> bool:
    """Whether all models have ExReLU's threshold, of which 0 and -inf have names."""
    if "activation" in ds.coords or "threshold" not in ds.coords:
        return False
    return "ExReLU" in ds["threshold"].attrs.get("long_name", "ExReLU")


def coordinate(axis: str, value: Any, *, exrelu: bool = True) -> str:
    """A value with the name of its axis, as in ``density 0.1``."""
    if axis == "threshold" and wording.is_number(value):
        special = {0.0: "ReLU, ", -np.inf: "linear, "}.get(value, "") if exrelu else ""
        return f"{special}t = {value_text(value)}"
    return f"{_plain(axis.replace('_', ' '))} {value_text(value)}"


def value_text(value: Any) -> str:
    """A number, a name, a boolean or a date, as it stands in a figure."""
    said = wording.text(value)
    return _typeset(said) if wording.is_number(value) else _plain(said)


def number(value: float) -> str:
    """A number with three digits and true minus and infinity signs."""
    return _typeset(f"{value:.3g}")


def _wrapped(text: str, width: int = 16) -> str:
    # A date stays whole.
    return textwrap.fill(text, width, break_on_hyphens=False)


def _typeset(number: str) -> str:
    return number.replace("inf", "∞").replace("-", "−")


def _plain(text: str) -> str:
    """Text that matplotlib does not take for mathematics."""
    return text.replace("$", r"\$")


def cell_edges(values: np.ndarray) -> tuple[str, np.ndarray]:
    """Cell edges around ascending values, and the scale on which they lie halfway.

    Names, dates, a few whole numbers and infinite numbers lie side by side: see
    `name_cells`.
    """
    if not _are_places(values):
        return "linear", np.arange(len(values) + 1) - 0.5
    values = values.astype(float)
    log = bool(values[0] > 0 and (len(values) == 1 or values[-1] >= 10 * values[0]))
    points = np.log(values) if log else values
    if len(points) == 1:
        edges = points[0] + np.array([-0.5, 0.5])
    else:
        middle = (points[1:] + points[:-1]) / 2
        first, last = 2 * points[0] - middle[0], 2 * points[-1] - middle[-1]
        edges = np.array([first, *middle, last])
    return ("log", np.exp(edges)) if log else ("linear", edges)


def name_cells(axis: Axis, values: np.ndarray) -> None:
    """Sets the ticks of an axis whose cells `cell_edges` has laid out."""
    if _are_places(values):
        if axis.get_scale() == "log":
            plain_log(axis)
        return
    names = [_wrapped(value_text(value)) for value in values]
    axis.set_ticks(range(len(names)), names)
    axis.set_minor_locator(NullLocator())
    if isinstance(axis, XAxis) and sum(map(len, names)) > 24:  # side by side they overlap
        axis.set_tick_params(rotation=45)
        for name in axis.get_ticklabels():
            name.set(ha="right", va="top", rotation_mode="anchor")


def _are_places(values: np.ndarray) -> bool:
    if values.dtype.kind in "iu" and len(values) <= 12:
        return False  # sizes, between which there is nothing
    return wording.are_numbers(values) and bool(np.isfinite(values.astype(float)).all())


def plain_log(axis: Axis) -> None:
    """Ticks of a logarithmic axis: plain numbers at 1, 0.3, 0.1 and so on.

    Every power of ten alone stands where there are many, more numbers where there are
    few. The axis becomes logarithmic if it is not.
    """
    if axis.get_scale() == "linear":
        rescale = axis.axes.set_xscale if isinstance(axis, XAxis) else axis.axes.set_yscale
        rescale("log")

    def said(value: float, position: float = 0) -> str:
        low, high = sorted(axis.get_view_interval())
        apart = 1 - low / high if 0 < low < high else 1.0
        return plain_number(value, max(3, 2 + int(np.ceil(-np.log10(apart)))))

    axis.set_major_locator(PlainLogLocator())
    axis.set_major_formatter(said)
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


class PlainLogLocator(Locator):
    """Places of the ticks of `plain_log`."""

    def __call__(self) -> Any:
        """Places of the ticks in the axis' present limits."""
        return self.tick_values(*self.axis.get_view_interval())  # type: ignore[union-attr]

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """Places of the ticks between two limits."""
        low, high = sorted((vmin, vmax))
        if not (low > 0 and np.isfinite(high)) or high < 2 * low:
            return MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(low, high)
        first, last = np.log10([low, high])
        decades = np.arange(np.floor(first), np.ceil(last) + 1)
        between = (
            (1, 2, 3, 5, 7) if last - first < 1 else (1, 3) if last - first <= 3 else (1,)
        )
        every = decades[:: max(1, -(-len(decades) // 7))]
        ticks = np.multiply.outer(10.0**every, between).ravel()
        near = 1e-9 * ticks
        return ticks[(low - near <= ticks) & (ticks <= high + near)]


def plain_number(value: float, digits: int = 3) -> str:
    """A number without an exponent, unless that is long."""
    if value == 0 or not 0.99e-5 <= abs(value) < 0.99e6:
        return number(value)
    return _typeset(np.format_float_positional(value, digits, fractional=False, trim="-"))


CATEGORIES = ("blue", "vermilion", "green", "orange", "purple", "sky", "black")
"""Colours in `PALETTE` of lines that have names: yellow is lost on white paper."""


def line_styles(values: np.ndarray) -> list[dict[str, Any]]:
    """Colour and line style of a line for each value of an axis.

    Numbers and dates follow the sequential map, the first darkest; names and booleans
    have colours of their own, and dashes where the colours are used up.
    """
    n = len(values)
    if wording.are_numbers(values) or wording.are_dates(values):
        colors = SEQUENTIAL.reversed()(np.linspace(0, 1, n))
        return [{"color": color, "linestyle": "-"} for color in colors]
    dashes = ("-", "--", ":", "-.")
    return [
        {
            "color": PALETTE[CATEGORIES[i % len(CATEGORIES)]],
            "linestyle": dashes[i // len(CATEGORIES) % len(dashes)],
        }
        for i in range(n)
    ]
