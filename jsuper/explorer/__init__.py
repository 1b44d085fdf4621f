"""One page of a saved sweep: click a cell of the phase map, see the model.

The page holds the models as compact arrays and draws them itself, in figures of Bokeh that
its own JavaScript fills, so that it needs no server and no network. Bokeh is loaded when a
page is made.
"""

from jsuper.explorer.explorer import Explorer, explore
from jsuper.explorer.keeping import lean

__all__ = ["Explorer", "explore", "lean"]
