"""What an experiment finds: statements beside numbers, as data, table and sentence."""

import csv
import dataclasses
import io
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from jsuper.plots import style
from jsuper.results.statistics import Interval, interval

LONGEST = 118
"""Characters of a cell of the page's table; what does not fit stands in the data."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One number, with how well it is known.

    Args:
        where: The models that it is about, as in ``"density 0.1"``; empty for all.
        quantity: What it is, as in ``"share of pentagons"``.
        value: The number.
        low: Lower end of its interval or range, None without one.
        high: Upper end.
        n: How many independent entries it rests on (seeds, usually), None where all is
            exact.
        unit: ``"%"`` where ``value``, ``low`` and ``high`` are shares of 1, or a unit.
        interval: What ``low`` and ``high`` are: a confidence interval, or the spread of
            the data where that is the point.
    """

    where: str
    quantity: str
    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    unit: str = ""
    interval: str = "95% over seeds"

    @classmethod
    def of(cls, where: str, quantity: str, found: Interval, unit: str = "", **more: Any):
        """Returns the case of a statistic with its bootstrap interval."""
        value, low, high, n = found.value, found.low, found.high, found.n
        return cls(where, quantity, value, low, high, n, unit, **more)

    @classmethod
    def mean(
        cls, where: str, quantity: str, sample: ArrayLike, unit: str = "", **more: Any
    ) -> "Case":
        """Returns the mean of a sample, an entry for each seed, with its interval."""
        return cls.of(where, quantity, interval(np.mean, np.ravel(sample)), unit, **more)

    @classmethod
    def spread(
        cls, where: str, quantity: str, values: ArrayLike, over: str, unit: str = ""
    ) -> "Case":
        """Returns the median of some values, and their range over ``over``."""
        found = np.asarray(values, float).ravel()
        found = found[~np.isnan(found)]
        ends = np.quantile(found, [0.5, 0, 1]) if found.size else np.full(3, np.nan)
        middle, low, high = ends.tolist()
        return cls(where, quantity, middle, low, high, None, unit, f"range over {over}")

    @classmethod
    def count(cls, where: str, quantity: str, holds: xr.DataArray) -> "Case":
        """Returns at how many values of its axis something holds."""
        (axis,) = holds.dims
        many = {"density": "densities"}.get(str(axis), f"{axis}s".replace("_", " "))
        return cls(where, quantity, int(holds.sum()), unit=f"of {holds.size} {many}")

    @classmethod
    def each(
        cls,
        values: xr.DataArray,
        quantity: str,
        unit: str = "",
        *,
        where: str = "",
        statistic: Callable[..., Any] = np.mean,
        **more: Any,
    ) -> "list[Case]":
        """Returns a case for each cell, which its coordinates name.

        Args:
            values: Numbers along named axes. Along ``seed``, if it is one of them, the
                statistic is taken, with its bootstrap interval.
            quantity: As in `Case`.
            unit: As in `Case`.
            where: What stands before the coordinates.
            statistic: As in `jsuper.results.statistics.interval`.
            **more: Other arguments of `Case`.
        """
        axes = [axis for axis in values.dims if axis != "seed"]
        rows = values.astype(float).transpose(*axes, ...)
        cases = []
        for at in np.ndindex(*(rows.sizes[axis] for axis in axes)):
            cell = rows.values[at]
            named = [
                style.coordinate(str(axis), rows[axis].values[i], exrelu=False)
                for axis, i in zip(axes, at, strict=True)
            ]
            here = ", ".join(([where] if where else []) + named)
            if cell.ndim:
                found = interval(statistic, cell)
                cases.append(cls.of(here, quantity, found, unit, **more))
            else:
                cases.append(cls(here, quantity, cell.item(), unit=unit, **more))
        return cases

    def __str__(self) -> str:
        said = f"{self.quantity} {_number(self.value, self.unit)}".strip()
        ends = [end for end in (self.low, self.high) if end is not None]
        if len(ends) == 2 and all(map(math.isfinite, ends)):
            said += f" [{', '.join(_number(end, self.unit) for end in ends)}]"
        return said


@dataclasses.dataclass(frozen=True)
class Finding:
    """One statement beside what the trained models show.

    Args:
        stated: What is stated, in a few words.
        cases: The numbers, most telling first.
        rule: When the two agree: the margin, in a few words.
        agrees: Whether they do.
        by: Who states it.
    """

    stated: str
    cases: Sequence[Case]
    rule: str
    agrees: bool
    by: str = "the paper"

    def measured(self, longest: int | None = None) -> str:
        """Returns the cases as one line, as many as fit; the rest is counted."""
        line, last = "", None
        for i, case in enumerate(self.cases, 1):
            said = str(case) if case.where in ("", last) else f"{case.where}: {case}"
            if line:
                said = line + (", " if case.where == last else "; ") + said
            left = len(self.cases) - i
            more = f" … (+{left})" if left else ""
            if longest and line and len(said + more) > longest:
                return f"{line} … (+{left + 1})"
            line, last = said, case.where
        return line

    def sentence(self) -> str:
        """Returns the verdict and the first numbers, in one line."""
        verdict = "agrees" if self.agrees else "DIFFERS"
        return f"{verdict:8} {self.stated}: {self.measured(LONGEST)}"


def told_first(cases: Iterable[Case], where: str) -> list[Case]:
    """Returns the cases with those of one place first: the page shows the first."""
    return sorted(cases, key=lambda case: case.where != where)


def table(findings: Iterable[Finding]) -> str:
    """Returns findings as a Markdown table."""
    rows = ["| stated | these models show | agrees |", "|---|---|---|"]
    for f in findings:
        verdict = "yes" if f.agrees else "**no**"
        rows.append(f"| {f.stated} | {f.measured(LONGEST)} | {verdict} |")
    return "\n".join(rows) + "\n"


def rows(findings: Iterable[Finding]) -> str:
    """Returns findings as comma-separated values, a row for each case."""
    text = io.StringIO()
    names = [field.name for field in dataclasses.fields(Case)]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["finding", "stated", "by", *names, "rule", "agrees"])
    for i, f in enumerate(findings, 1):
        for case in f.cases:
            values = ["" if v is None else v for v in dataclasses.astuple(case)]
            if case.low is None:
                values[names.index("interval")] = ""
            verdict = "yes" if f.agrees else "no"
            writer.writerow([i, f.stated, f.by, *values, f.rule, verdict])
    return text.getvalue()


def _number(value: float | None, unit: str) -> str:
    if value is None or not math.isfinite(value):
        return "–" if value is None or math.isnan(value) else f"{value:g}"
    value = 100 * value if unit == "%" else value
    said = f"{value:.3g}" if abs(value) < 1_000 else f"{value:,.0f}"
    said += unit if unit in ("%", "°") else f" {unit}".rstrip()
    return said.replace("-", "−")
