"""Experiments that train, judge and draw in one function; they become rooms one by one."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import xarray as xr
from matplotlib.animation import Animation, PillowWriter
from matplotlib.figure import Figure

from jsuper import files
from jsuper.experiments.experiment import QUICK


@dataclasses.dataclass(frozen=True)
class Finding:
    """One statement of the paper beside what the trained models show.

    Args:
        stated: What the paper states, in a few words.
        measured: What was measured, with numbers and their spread over seeds; a semicolon
            between cases.
        agrees: Whether the two agree, decided by a margin written in the experiment.
    """

    stated: str
    measured: str
    agrees: bool


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run of an experiment gives.

    Args:
        findings: Statements and measurements, in the paper's order.
        figures: Figures and animations by file name, without suffix.
        datasets: Trained and measured models by file name, without suffix.
    """

    findings: list[Finding]
    figures: Mapping[str, Figure | Animation]
    datasets: Mapping[str, xr.Dataset]

    def table(self) -> str:
        """Returns the findings as a Markdown table."""
        rows = ["| stated | these models show | agrees |", "|---|---|---|"]
        for f in self.findings:
            measured = f.measured.replace("; ", ";<br>")
            rows.append(f"| {f.stated} | {measured} | {'yes' if f.agrees else '**no**'} |")
        return "\n".join(rows) + "\n"

    def write(self, folder: Path, *, quick: bool = False) -> Iterator[Path]:
        """Writes figures, findings and datasets into an existing folder.

        Args:
            folder: Where to write.
            quick: Whether to say that this is the small version.

        Yields:
            The path of every file, once it is in place.
        """
        for name, figure in self.figures.items():
            animated = isinstance(figure, Animation)
            path = folder / f"{name}.{'gif' if animated else 'png'}"
            with files.whole_file(path, force=True) as written:
                if animated:
                    figure.save(written, writer=PillowWriter(fps=12))
                else:
                    figure.savefig(written, dpi=150)
            yield path
        path = folder / "findings.md"
        with files.whole_file(path, force=True) as written:
            note = f"{QUICK}\n\n" if quick else ""
            written.write_text(note + self.table(), encoding="utf-8")
        yield path
        for name, ds in self.datasets.items():
            yield files.save(ds, folder / f"{name}.nc", force=True)


@dataclasses.dataclass(frozen=True)
class Experiment:
    """An experiment of the paper.

    Args:
        title: What it is about.
        source: Section or figure of the paper.
        minutes: Minutes that a full run is expected to take on two cores.
        run: Runs it: ``run(quick)`` returns its `Outcome`. Quick is a smaller version
            of the same experiment that takes seconds.
    """

    title: str
    source: str
    minutes: float
    run: Callable[[bool], Outcome]
