"""An explorer of a saved result: one page that needs no server and no network."""

import html
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from jsuper import files
from jsuper.explorer import page
from jsuper.explorer.contents import contents

MAX_MEGABYTES = 10.0
"""Size of a page beyond which it holds less than the dataset, unless asked for more."""


class Explorer:
    """A page to walk through a dataset in a browser; a notebook shows it by itself.

    Args:
        html: The whole document.
    """

    def __init__(self, html: str):
        self.html = html

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Writes the page, whole or not at all.

        Args:
            path: Where to write it.
            force: Replace a file that exists.

        Returns:
            The path written to.

        Raises:
            OSError: If a file exists, the folder does not, or cannot be written.
        """
        with files.whole_file(path, force=force) as written:
            written.write_text(self.html, encoding="utf-8")
        return Path(path)

    def _repr_html_(self) -> str:
        # In a frame of its own, no style or script of page and notebook can meet.
        return (
            f'<iframe srcdoc="{html.escape(self.html)}" title="jsuper explorer" '
            'style="width: 100%; height: 900px; border: 0" '
            'allow="clipboard-write"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<Explorer: a page of {len(self.html) / 1e6:.1f} MB, .save(path) writes it>"


def explore(
    ds: xr.Dataset | xr.DataTree | str | Path,
    *,
    title: str | None = None,
    theory: Mapping[str, Any] | None = None,
    part: str | None = None,
    max_megabytes: float = MAX_MEGABYTES,
) -> Explorer:
    """Makes a page to explore a dataset: a map, and behind each cell its models.

    Needs ``pip install 'jsuper[explore]'``.

    Args:
        ds: The result of `jsuper.sweep`, `jsuper.snapshots`, `jsuper.minima` or
            `jsuper.measure`, or what is left of one after a selection; or the file or
            store of one, which the page's line of Python then loads.
        title: Title of the page; by default the dataset's attribute ``title``, or the name
            of the file.
        theory: Lines over the map, by name: numbers along two axes, as
            ``{"pairs pay": {"density": s, "threshold": t}}``, or one number along one. By
            default those that the dataset's attribute ``theory`` holds.
        part: Name of a dataset in the file, or the tree, of an experiment.
        max_megabytes: Size of the page. A larger one is thinned, and says so: numbers in
            single precision, fewer points of training curves, fewer seeds (the best).

    Returns:
        The page: ``.save(path)`` writes it, and a notebook shows it.

    Raises:
        ImportError: If Bokeh is not installed.
        FileNotFoundError: If there is no such file.
        ValueError: If an argument is wrong, or if no page of that size holds the models.
        TypeError: If ``ds`` is no dataset.

    Example:
        >>> import numpy as np, xarray as xr, jsuper as js
        >>> pentagon = [[np.cos(a), np.sin(a)] for a in 2 * np.pi * np.arange(5) / 5]
        >>> ds = xr.Dataset({"W": (("feature", "hidden"), pentagon)})
        >>> page = js.explore(ds, title="A pentagon")
        >>> "<title>A pentagon</title>" in page.html
        True
    """
    page.check_installed()
    source, named = "ds", "Toy models"
    number = isinstance(max_megabytes, int | float) and not isinstance(max_megabytes, bool)
    if not number or not 0 < max_megabytes < math.inf:
        raise ValueError(f"max_megabytes must be a number above 0, got {max_megabytes!r}")
    if title is not None and not isinstance(title, str):
        raise TypeError(f"title must be text, got {title!r}")
    if isinstance(ds, str | Path):
        path, ds = ds, files.load_sweep(ds, part)
        name = str(path).rstrip("/").rpartition("/")[2]
        named = f"{name}: {part}" if part else name
        loaded = f"js.load({name!r})"
        source = f"{loaded}[{part!r}].to_dataset()" if part else loaded
    elif isinstance(ds, xr.DataTree):
        ds, source = files.part_of(ds, part, "ds"), f"ds[{part!r}].to_dataset()"
    elif part is not None:
        raise ValueError(f"part must be None with a dataset, got {part!r}")
    told = ds.attrs.get("title") if isinstance(ds, xr.Dataset) else None
    held = contents(ds, max_megabytes=max_megabytes, theory=theory)
    made = page.page(held, title or str(told or named), source)
    return Explorer(made)
