"""The Bokeh figures of a page, still empty: the page's own JavaScript fills their sources.

Map and matrices are cells on plain linear axes. The JavaScript puts logarithms or places
in their order there and sets the ticks, since any axis of a sweep can become x or y.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bokeh.events import DoubleTap, Pan, PanStart, PressUp, Tap
from bokeh.models import (
    ColumnDataSource,
    CustomJS,
    CustomJSTickFormatter,
    FixedTicker,
    HoverTool,
    LinearColorMapper,
    Range1d,
)
from bokeh.palettes import RdBu11, interp_palette
from bokeh.plotting import figure

if TYPE_CHECKING:
    from bokeh.model import Model

CELL = {"left": "left", "right": "right", "bottom": "bottom", "top": "top"}
BOX = ["left", "right", "bottom", "top"]

NO_NUMBER = "#8a8a8a"

MINUS = "return String(+tick.toPrecision(4)).replace('-', '−')"
"""JavaScript that writes a tick with a true minus sign."""

TEXTS = "return (texts.find(([place]) => place === tick) ?? [tick, ''])[1]"
"""JavaScript that writes a tick as the page's own JavaScript says."""


def figures() -> dict[str, Any]:
    """Returns the figures of a page by name."""
    return {
        "map": _map(),
        "section": _section(),
        "embeddings": _embeddings(),
        "gram": _gram(),
        "norm": _bars("norm", "norm ‖Wᵢ‖"),
        "superposition": _bars("superposition", "superposition"),
        "bias": _bars("bias", "bias"),
        "curve": _curve(),
        "distribution": _distribution(),
    }


def sources(drawn: dict[str, Any]) -> dict[str, Model]:
    """Returns the sources of all figures by name, as their JavaScript asks for them."""
    return {
        renderer.name: renderer.data_source
        for plot in drawn.values()
        for renderer in plot.renderers
        if renderer.name
    }


def _figure(name: str, tools: str = "", **given: Any) -> Any:
    """A figure in the look of all; its colours follow the page, light or dark."""
    given = {"toolbar_location": None, "output_backend": "canvas"} | given
    plot = figure(name=name, tools=tools, **given)
    plot.background_fill_color = plot.border_fill_color = None
    plot.grid.grid_line_color = None
    plot.axis.minor_tick_line_color = None
    plot.axis.axis_label_text_font_style = "normal"
    plot.axis.major_label_text_font_size = "12px"
    plot.axis.axis_label_text_font_size = "13px"
    for axis in plot.axis:
        axis.formatter = CustomJSTickFormatter(code=MINUS)
    plot.toolbar.logo = None
    return plot


def _fix_ticks(*axes: Any) -> None:
    """Lets the page's JavaScript place the ticks."""
    for axis in axes:
        axis.ticker = FixedTicker(ticks=[])
        # Labels that replace those of an axis leave views behind in Bokeh 3.10.
        axis.formatter = CustomJSTickFormatter(args={"texts": []}, code=TEXTS)


def _empty(*columns: str) -> ColumnDataSource:
    return ColumnDataSource({column: [] for column in columns})


def _ranges() -> dict[str, Any]:
    """Ranges that the page's JavaScript sets."""
    return {name: Range1d(start=0, end=1) for name in ("x_range", "y_range")}


def _map() -> Any:
    """Cells coloured by a quantity, theory's lines, and a frame around the chosen one."""
    plot = _figure(
        "map",
        "pan,wheel_zoom,box_zoom,reset,save",
        toolbar_location="right",
        height=420,
        min_width=300,
        sizing_mode="stretch_width",
        **_ranges(),
    )
    _fix_ticks(plot.xaxis, plot.yaxis)
    cells = plot.quad(
        **CELL,
        source=_empty(*BOX, "color", "x", "y", "said"),
        fill_color="color",
        line_color="color",
        line_width=1,
        name="cells",
    )
    for name, color, width in (("rim", "black", 3.2), ("theory", "white", 1.4)):
        plot.multi_line(
            "xs",
            "ys",
            source=_empty("xs", "ys", "dash"),
            line_color=color,
            line_width=width,
            line_dash="dash",
            name=name,
        )
    for name, color, width in (("chosen_rim", "white", 5), ("chosen", "black", 2.2)):
        looks = {"line_color": color, "line_width": width, "name": name}
        plot.quad(**CELL, source=_empty(*BOX), fill_color=None, **looks)
    hover = HoverTool(renderers=[cells], tooltips="<b>@said</b><br>@x<br>@y")
    plot.add_tools(hover)
    choose = "window.jsuperExplorer.tapped(cb_obj.x, cb_obj.y)"
    for event in (Tap, DoubleTap, PressUp):  # a quick second click and a slow one, too
        plot.js_on_event(event, CustomJS(code=choose))
    return plot


def _section() -> Any:
    """A dot for each model along x, and a ring around the chosen one."""
    plot = _figure(
        "section", height=220, min_width=240, sizing_mode="stretch_width", **_ranges()
    )
    _fix_ticks(plot.xaxis, plot.yaxis)
    dots = plot.scatter(
        "x",
        "y",
        source=_empty("x", "y", "color", "said"),
        fill_color="color",
        line_color="#8a8a8a",  # of which neither a light nor a dark page hides the dot
        line_width=0.7,
        size=6,
    )
    dots.name = "dots"
    ring = plot.scatter("x", "y", source=_empty("x", "y"), size=13, fill_color=None)
    ring.name = "ring"
    plot.add_tools(HoverTool(renderers=[dots], tooltips="@said"))
    choose = "window.jsuperExplorer.tappedSection(cb_obj.x, cb_obj.y)"
    for event in (Tap, DoubleTap, PressUp):
        plot.js_on_event(event, CustomJS(code=choose))
    return plot


def _embeddings() -> Any:
    """Arrows from the origin, one for each feature."""
    plot = _figure("embeddings", "save", frame_width=280, frame_height=280, **_ranges())
    plot.toolbar_location = None
    plot.multi_line("xs", "ys", source=_empty("xs", "ys"), line_color="#8886", name="guide")
    arrows = _empty("x", "y", "zero_x", "zero_y", "color", "angle", "text", "said")
    lines = plot.segment(
        "zero_x", "zero_y", "x", "y", source=arrows, line_color="color", line_width=2.5
    )
    tips = plot.scatter(
        "x", "y", source=arrows, color="color", size=10, marker="triangle", angle="angle"
    )
    tips.name = "arrows"
    plot.text(
        "x",
        "y",
        text="text",
        source=_empty("x", "y", "text"),
        text_align="center",
        text_baseline="middle",
        text_font_size="12px",
        name="arrow_names",
    )
    plot.add_tools(HoverTool(renderers=[lines, tips], tooltips="@said"))
    turns = {PanStart: "0, 0, true", Pan: "cb_obj.delta_x, cb_obj.delta_y, false"}
    for event, drag in turns.items():
        plot.js_on_event(event, CustomJS(code=f"window.jsuperExplorer.turned({drag})"))
    return plot


def _gram() -> Any:
    """W Wᵀ, and the biases in a column beside it, as pictures with a pixel a number."""
    plot = _figure("gram", frame_width=280, frame_height=280, **_ranges())
    colors = LinearColorMapper(palette=diverging(), low=-1, high=1, nan_color=NO_NUMBER)
    for name, said in (
        ("products", "W<sub>$y{0}</sub> · W<sub>$x{0}</sub> = @image{0.[0000]}"),
        ("biases", "bias $y{0}: @image{0.[0000]}"),
    ):
        picture = plot.image(
            "image",
            x="x",
            y=-0.5,
            dw="width",
            dh="height",
            source=_empty("image", "x", "width", "height"),
            color_mapper=colors,
            name=name,
        )
        plot.add_tools(HoverTool(renderers=[picture], tooltips=said))
    _fix_ticks(plot.xaxis, plot.yaxis)
    plot.xaxis.axis_label = plot.yaxis.axis_label = "feature"
    return plot


def diverging() -> tuple[str, ...]:
    """Returns the colours of numbers from -1 to 1, white at 0."""
    return interp_palette(tuple(RdBu11), 65)


def _bars(name: str, label: str) -> Any:
    plot = _figure(
        name, height=170, min_width=240, sizing_mode="stretch_width", **_ranges()
    )
    bars = plot.vbar(
        x="x",
        bottom=0,
        top="top",
        width=0.85,
        source=_empty("x", "top", "color", "said"),
        fill_color="color",
        line_color=None,
        name=f"{name}_bars",
    )
    plot.add_tools(HoverTool(renderers=[bars], tooltips="@said"))
    _fix_ticks(plot.xaxis)
    plot.yaxis.ticker.desired_num_ticks = 4
    plot.xaxis.axis_label = "feature"
    plot.yaxis.axis_label = label
    return plot


def _curve() -> Any:
    """Training losses of the chosen model, and of all seeds of its cell as a band."""
    plot = _figure(
        "curve", height=260, min_width=240, sizing_mode="stretch_width", **_ranges()
    )
    _fix_ticks(plot.yaxis)
    plot.varea(
        "x", "low", "high", source=_empty("x", "low", "high"), fill_alpha=0.3, name="band"
    )
    for name, width, dash in (("median", 1.5, "dashed"), ("own", 2.2, "solid")):
        looks = {"line_width": width, "line_dash": dash, "name": f"{name}_curve"}
        plot.line("x", "y", source=_empty("x", "y"), **looks)
    plot.xaxis.axis_label = "step"
    plot.yaxis.axis_label = "training loss"
    return plot


def _distribution() -> Any:
    """Dimensionalities over steps: shares over all seeds, and the chosen model."""
    plot = _figure(
        "distribution", height=260, min_width=240, sizing_mode="stretch_width", **_ranges()
    )
    _fix_ticks(plot.xaxis)
    shares = plot.quad(
        **CELL,
        source=_empty(*BOX, "alpha", "said"),
        fill_alpha="alpha",
        line_color=None,
        name="shares",
    )
    plot.multi_line(
        "xs",
        "ys",
        source=_empty("xs", "ys", "color"),
        line_color="color",
        line_width=2,
        name="paths",
    )
    plot.multi_line("xs", "ys", source=_empty("xs", "ys"), line_dash="dashed", name="now")
    plot.add_tools(HoverTool(renderers=[shares], tooltips="@said"))
    plot.xaxis.axis_label = "step"
    plot.yaxis.axis_label = "dimensionality Dᵢ"
    return plot
