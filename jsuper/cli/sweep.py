"""``jsuper sweep``: train a grid of densities, thresholds, seeds, sizes and activations."""

import argparse
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import jsuper as js
from jsuper import files, stores
from jsuper.cli.console import say
from jsuper.models.activations import ACTIVATIONS
from jsuper.results.models import is_finite
from jsuper.validation import check

MAX_VALUES = 1_000_000
"""Of one option: more would fill the memory before anything is trained."""


def add(commands: Any) -> None:
    """Adds the command with its options."""
    parser = commands.add_parser(
        "sweep",
        allow_abbrev=False,
        help="train a grid of toy models",
        description="Train a grid of toy models, x' = f(x W Wᵀ + b) with f = ExReLU_t by "
        "default, and write it as a netCDF file, or block by block into a store.",
        epilog="VALUES are numbers (1 0.3 0.1) or a range START:STOP:COUNT; densities and "
        "learning rates are log-spaced, all else is spaced evenly. 'linear' is the "
        "threshold minus infinity. Several widths, activations or learning rates are axes "
        "n_hidden, activation and learning_rate of the result. Randomness follows --key; "
        "--seeds is how many models a cell has, or which: 8:16 are the seeds 8 to 15. "
        "Example: jsuper sweep --densities 1:0.05:10 --thresholds 0 -0.25 -o exrelu.nc",
    )
    inputs = parser.add_mutually_exclusive_group()
    values: dict[str, Any] = {"nargs": "+", "metavar": "VALUES"}
    inputs.add_argument(
        "--densities",
        type=_log_values,
        help="probabilities that a feature is active, in (0, 1]",
        **values,
    )
    inputs.add_argument(
        "--sparsities",
        type=_values,
        default=[[0.9]],
        help="1 - density, in [0, 1) (default: 0.9)",
        **values,
    )
    parser.add_argument(
        "--thresholds",
        type=_thresholds,
        default=[[0.0]],
        help="ExReLU thresholds; 0 is ReLU (default: 0)",
        **values,
    )
    parser.add_argument(
        "--hidden",
        type=int,
        nargs="+",
        default=[2],
        metavar="M",
        help="hidden dimensions (default: 2)",
    )
    parser.add_argument(
        "--activations",
        nargs="+",
        choices=list(ACTIVATIONS),
        default=["exrelu"],
        metavar="NAME",
        help=f"activations, of {', '.join(ACTIVATIONS)} (default: exrelu)",
    )
    rates = parser.add_mutually_exclusive_group()
    rates.add_argument(
        "--learning-rate",
        type=float,
        default=1e-3,
        metavar="RATE",
        help="AdamW's learning rate (default: 0.001)",
    )
    rates.add_argument(
        "--learning-rates", type=_log_values, help="several of them", **values
    )
    parser.add_argument(
        "--seeds",
        type=_seeds,
        default=8,
        metavar="K",
        help="seeds per cell, or FIRST:STOP (default: 8)",
    )
    for flag, default, metavar, text in (
        ("--features", 5, "N", "features"),
        ("--importance", 0.9, "R", "feature i has importance R^i"),
        ("--steps", 10_000, "STEPS", "training steps"),
        ("--batch", 1024, "B", "examples in each step"),
        ("--weight-decay", 1e-2, "DECAY", "AdamW's weight decay"),
        ("--key", 0, "KEY", "number that all randomness follows"),
    ):
        parser.add_argument(
            flag,
            type=type(default),
            default=default,
            metavar=metavar,
            help=f"{text} (default: {default})",
        )
    parser.add_argument(
        "--cores", type=int, metavar="C", help="CPU cores to use (default: all)"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=_place,
        required=True,
        help="netCDF file; or a store NAME.zarr, or an address such as "
        "s3://bucket/NAME.zarr, which the same command fills further if it is cut short",
    )
    parser.add_argument("--force", action="store_true", help="replace an existing file")
    parser.add_argument("--quiet", action="store_true", help="print nothing")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Trains, measures and writes."""
    in_store = stores.is_store(options.output)
    if in_store and options.force:
        raise ValueError(
            f"--force must not stand beside a store, which goes on: {options.output}"
        )
    output = options.output
    if not in_store:
        files.check_writable(output, force=options.force)
    if not 0 <= options.key < 2**63:
        raise ValueError(f"key must be in [0, 2**63), got {options.key}")
    if options.densities:
        densities = np.concatenate(options.densities)
    else:
        # 1 - 0.9 is 0.09999999999999998; 1 - s has no more than 15 decimals.
        densities = np.round(1 - np.concatenate(options.sparsities), 15)
    rates = np.concatenate(options.learning_rates or [[options.learning_rate]])
    for name, value in (("learning_rate", rates), ("weight_decay", options.weight_decay)):
        check(name, value, _is_rate, "at least 0 and finite")
    axes = {"density": densities, "threshold": np.concatenate(options.thresholds)}
    sizes = {"n_hidden": options.hidden, "activation": options.activations}
    axes |= {name: values for name, values in sizes.items() if len(values) > 1}
    if len(rates) > 1:
        axes["learning_rate"] = rates
    js.use_cpu_cores(options.cores)
    n = options.features
    importance = np.asarray(js.geometric_importance(n, options.importance))

    def task(
        density, threshold, n_hidden=options.hidden[0], activation=options.activations[0]
    ):
        return js.Task(
            features=js.SparseFeatures(n, density),
            model=js.ToyModel(n, n_hidden, threshold, activation=activation),
            importance=importance,
        )

    def adamw(learning_rate=float(rates[0])):
        return optax.adamw(learning_rate, weight_decay=options.weight_decay)

    ds = js.sweep(
        task,
        axes | {"seed": options.seeds},
        js.Recipe(options.steps, options.batch, adamw if len(rates) > 1 else adamw()),
        key=_key(options.key),
        progress=False if options.quiet else None,
        store=output if in_store else None,
    )
    path = output
    if not in_store:
        # What is trained is not thrown away for another command's file of that name.
        path = files.save(js.measure(ds), output, force=options.force, beside=True)
    if path != output:
        say(f"{output} has appeared meanwhile and stays; this sweep is in {path}")
    if not options.quiet:
        finite = is_finite(ds)
        say(f"{path}: {finite.size} models, {int(finite.sum())} finite")


def _place(text: str) -> Path | str:
    return text if stores.is_remote(text) else Path(text)


def _key(number: int) -> jax.Array:
    """The key of a number, whose upper 32 bits JAX drops unless it counts in 64."""
    key = jax.random.key(number % 2**32)
    data = np.array(jax.random.key_data(key))
    data.reshape(-1, 2)[:, 0] = number >> 32
    return jax.random.wrap_key_data(jnp.asarray(data), impl=jax.random.key_impl(key))


def _is_rate(rate: np.ndarray) -> np.ndarray:
    return (rate >= 0) & (rate <= np.finfo(np.float32).max)


def _thresholds(text: str) -> list[float]:
    """Numbers of one word, as `_values`, or ``linear``."""
    return [-np.inf] if text.strip() == "linear" else _values(text)


def _seeds(text: str) -> int | list[int]:
    """A number of seeds, or those from FIRST up to STOP."""
    try:
        if ":" not in text:
            return int(text)
        first, stop = map(int, text.split(":"))
        _check_length(stop - first, text)
        return list(range(first, stop))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a number or FIRST:STOP, got {text.strip()!r}"
        ) from None


def _values(text: str) -> list[float]:
    """Numbers of one word: a number or START:STOP:COUNT."""
    return _range(text, np.linspace)


def _log_values(text: str) -> list[float]:
    return _range(text, np.geomspace)


def _check_length(count: int, text: str) -> None:
    if count > MAX_VALUES:
        raise argparse.ArgumentTypeError(
            f"must be at most {MAX_VALUES:,} values, got {text.strip()!r}"
        )


def _range(text, spaced):
    try:
        if ":" not in text:
            return [float(text)]
        start, stop, count = text.split(":")
        _check_length(int(count), text)
        return spaced(float(start), float(stop), int(count)).tolist()
    except ValueError:
        ends = ", with both ends above 0" if spaced is np.geomspace else ""
        raise argparse.ArgumentTypeError(
            f"must be a number or START:STOP:COUNT{ends}, got {text.strip()!r}"
        ) from None
