"""Named axes in, a labelled dataset out.

The verbs are `jsuper.sweep` and `jsuper.snapshots`; here are the files behind them.
"""
