"""Where the models of a dataset come from, in words."""

import json
from collections.abc import Iterator
from typing import Any

import xarray as xr

from jsuper import files
from jsuper.results.models import model_axes


def origin(ds: xr.Dataset) -> Iterator[str]:
    """Yields lines on how the models were made, as far as all of them have one origin."""
    if "made_by" not in ds.attrs:
        yield "made_by: missing, so that nothing is known of recipe and origin"
        return
    made_by = files.made_by(ds)
    stranger = _not_made_by(ds, made_by)
    if "parts" in made_by:
        yield from _parts(made_by)
    elif stranger:
        yield (
            "made_by: describes only a part of these models, which another tool joined: "
            f"it has no {stranger}"
        )
    else:
        yield from _recipe(made_by)


def _parts(made_by: dict) -> Iterator[str]:
    """What each part of a joined dataset says."""
    parts, dim = made_by["parts"], made_by.get("dim")
    yield f"joined along {dim} from {len(parts)} parts"
    values = made_by.get("values") or [[]] * len(parts)
    for i, (part, own) in enumerate(zip(parts, values, strict=True)):
        some = ", ".join(own[:12]) + (", …" if len(own) > 12 else "")
        yield f"part {i + 1}" + (f" ({dim} {some})" if own else "")
        part = json.loads(part) if isinstance(part, str) else part
        if not part:
            yield "  made_by: missing"
        elif "parts" in part:
            yield from (f"  {line}" for line in _parts(part))
        else:
            yield from (f"  {line}" for line in _recipe(part))


def _recipe(made_by: dict) -> Iterator[str]:
    """Recipe, task, key and versions of one call."""
    if "recipe" in made_by:
        yield "recipe"
        for name, value in made_by["recipe"].items():
            yield f"  {name}: {value if name != 'optimizer' else json.dumps(value)}"
    if "first_task" in made_by:
        yield f"task (first cell): {json.dumps(made_by['first_task'])}"
    if "key" in made_by:
        yield f"key: {made_by['key']['implementation']} {made_by['key']['data']}"
    if made_by.get("devices"):
        yield (
            f"made with jsuper {made_by['jsuper']}, jax {made_by['jax']} on "
            f"{len(made_by['devices'])} × {made_by['devices'][0]}"
        )
    if "start" in made_by:
        start = made_by["start"]
        origin = start.get("file") or ("parameters" if "params" in start else "a dataset")
        yield f"started from {origin}"
    if "losses" in made_by:
        again = made_by["losses"]
        key = f"key: {again['key']['implementation']} {again['key']['data']}"
        examples = f"{again['batches']} × {again['batch_size']} examples, {key}"
        exact = again["batches"] is None
        yield f"loss measured again{', exactly' if exact else f' on {examples}'}"


def _not_made_by(ds: xr.Dataset, made_by: dict[str, Any]) -> str:
    """An axis of ``ds`` that its maker did not have, or had with fewer values."""
    axes = made_by.get("axes")
    if not axes:
        return ""
    tested = {f"test_{name}" for name in made_by.get("losses", {}).get("at", {})}
    for name in model_axes(ds):
        if name not in (*axes, *tested, "step", "rank", "minimum"):
            return f"axis {name}"
        if name in axes and ds.sizes[name] > axes[name]:
            return f"{ds.sizes[name]} values of {name}"
    return ""
