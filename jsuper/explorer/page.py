"""The page itself: figures, data, style and JavaScript in one HTML document."""

import html
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jsuper.explorer.contents import as_json, summary

STATIC = Path(__file__).with_name("static")

SCRIPTS = (
    *("data", "scales", "weights", "state", "map", "legend", "section"),
    *("model", "seeds", "numbers", "controls", "theme", "page"),
)
"""Files of JavaScript in an order in which each uses those before it."""


def check_installed() -> None:
    """Raises `ImportError` unless Bokeh is installed."""
    if importlib.util.find_spec("bokeh") is None:
        raise ImportError("the explorer needs bokeh: pip install 'jsuper[explore]'")


def page(held: Mapping[str, Any], title: str, source: str) -> str:
    """Returns an HTML document that needs no other file and no network.

    Args:
        held: What `jsuper.explorer.contents.contents` returns.
        title: Title of the page.
        source: Python that loads the dataset.
    """
    check_installed()
    from bokeh.document import Document
    from bokeh.embed import file_html
    from bokeh.events import DocumentReady
    from bokeh.models import CustomJS
    from bokeh.resources import Resources

    from jsuper.explorer.figures import figures, sources

    drawn = figures()
    filled = sources(drawn)
    document = Document(title=title)
    for plot in drawn.values():
        document.add_root(plot)
    plots = {f"plot_{name}": plot for name, plot in drawn.items()}
    start = CustomJS(args=plots | filled, code=_start(drawn, filled))
    document.js_on_event(DocumentReady, start)
    held = {**held, "palettes": palettes(), "source": source}
    return file_html(
        document,
        Resources(mode="inline"),
        title=title,
        template=(STATIC / "page.html").read_text(encoding="utf-8"),
        template_variables={
            "heading": html.escape(title),
            "summary": html.escape(summary(held)),
            "bias": ", and the biases beside it" if "b" in held["variables"] else "",
            "ranked": _ranked(held),
            "origin": html.escape("\n".join(held["origin"])),
            "notes": [html.escape(note) for note in _notes(held)],
            "style": (STATIC / "page.css").read_text(encoding="utf-8"),
            "script": script(),
            "held": as_json(held),
        },
    )


def _ranked(held: Mapping[str, Any]) -> str:
    """The order of the seeds, in words."""
    if not held["judged"]:
        return ""
    steps = any(axis["name"] == "step" for axis in held["axes"])
    return f", lowest loss{' at the last step' if steps else ''} first"


def _start(drawn: Mapping[str, Any], filled: Mapping[str, Any]) -> str:
    """JavaScript that hands all figures and sources to the page's own."""
    plots = ", ".join(f"{name}: plot_{name}" for name in drawn)
    return f"window.jsuperExplorer.start({{{plots}}}, {{{', '.join(filled)}}})"


def script() -> str:
    """Returns the page's own JavaScript."""
    parts = [(STATIC / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    return "(() => {\n'use strict';\n" + "\n".join(parts) + "\n})();"


def palettes() -> dict[str, list[str]]:
    """Returns the colours of maps, which colour-blind readers can tell apart."""
    from bokeh.palettes import cividis, viridis

    from jsuper.explorer.figures import diverging

    return {
        "viridis": list(viridis(64)),
        "cividis": list(cividis(64)),
        "diverging": list(diverging()),
    }


def _notes(held: Mapping[str, Any]) -> list[str]:
    import bokeh

    from jsuper.version import VERSION

    made = f"Made with jsuper {VERSION} and Bokeh {bokeh.__version__}; needs no network."
    exact = "All other numbers are those of the dataset."
    return [*held["notes"], exact, made]
