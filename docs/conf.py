"""Sphinx settings. The build is strict: a warning fails it, and so does the tutorial."""

import re
from pathlib import Path

from myst_nb.sphinx_ import NbMetadataCollector

import jsuper

project = "jsuper"
author = "The jsuper developers"
copyright = "2026, The jsuper developers"
release = jsuper.__version__

extensions = [
    # Reads Markdown with myst_parser, and notebooks, which it runs.
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_design",
    # MathJax in the built pages, which can then be read without a network.
    "sphinx-mathjax-offline",
]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "gallery/results"]
nb_execution_mode = "force"
nb_execution_timeout = 300  # seconds for a cell
nb_execution_show_tb = True
nb_execution_in_temp = True
nb_output_stderr = "error"
nb_ipywidgets_js = {}  # no script from elsewhere: cells whose output is a bar are tagged
html_theme = "furo"
html_title = "jsuper"
html_static_path = ["_static"]
html_css_files = ["gallery.css"]
default_role = "py:obj"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_use_rtype = False


def _dollar_math(app, what, name, obj, options, lines):
    """Docstrings write mathematics between dollars, as the pages do."""
    text = "\n".join(lines)

    def display(match):
        indent = match.group(1)
        body = match.group(2).strip().split("\n")
        return "\n".join(
            [
                "",
                f"{indent}.. math::",
                "",
                *(f"{indent}   {row.strip()}" for row in body),
                "",
            ]
        )

    def inline(match):
        return f":math:`{' '.join(match.group(1).split())}`"

    text = re.sub(r"^([ ]*)\$\$(.+?)\$\$", display, text, flags=re.S | re.M)
    text = re.sub(r"\$(.+?)\$", inline, text, flags=re.S)
    lines[:] = text.split("\n")


def _run_again(app, doctree):
    """The tutorial runs again after a change of the library, and after it has failed."""
    if app.env.docname == "tutorial":
        for path in Path(jsuper.__file__).parent.rglob("*.py"):
            app.env.note_dependency(path)
        if not NbMetadataCollector.get_exec_data(app.env, "tutorial")["succeeded"]:
            app.env.note_reread()


def _explorers(app, exception):
    """Makes the pages of the explorer, which the gallery embeds, from their models."""
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "explorers"
    folder.mkdir(exist_ok=True)
    for models in sorted(Path(app.srcdir).glob("gallery/results/*/explorer.nc")):
        page = folder / f"{models.parent.name}.html"
        jsuper.explore(models).save(page, force=True)


def setup(app):
    app.connect("build-finished", _explorers)
    # Before napoleon, which lays out the sections.
    app.connect("autodoc-process-docstring", _dollar_math, priority=400)
    app.connect("doctree-read", _run_again)
