"""What an experiment is: settings, and three functions that train, judge and draw."""

import dataclasses
import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr
from matplotlib.animation import Animation, PillowWriter
from matplotlib.figure import Figure

from jsuper import explorer, files, wording
from jsuper.experiments import findings as told
from jsuper.experiments.findings import Finding

MODELS = "models.nc"
"""The file of an experiment's folder with all that it has trained."""

EXPLORED = "explorer.nc"
"""The file with the models of an experiment's page, which the gallery embeds."""

QUICK = (
    "Small version, with fewer models and steps: an answer may differ from that of the "
    "full run, and some statements need it."
)


def setting(default: Any, name: str) -> Any:
    """A field of settings with the name that the page's table gives it."""
    return dataclasses.field(default=default, metadata={"name": name})


@dataclasses.dataclass(frozen=True)
class Experiment:
    """An experiment: of the paper, of a follow-up, of the review, or our own.

    Args:
        title: What it is about.
        source: Section or figure of the paper.
        minutes: Minutes that a full run is expected to take on two cores.
        full: Its settings, an instance of a frozen dataclass.
        quick: Those of a smaller version of the same experiment that takes seconds.
        train: Trains and measures: ``train(settings)`` returns datasets by name.
        findings: Judges: ``findings(models)`` of an `xarray.DataTree`.
        figures: Draws: ``figures(models)`` returns figures and animations by file name.
        explored: Which models a page shows, if there is one: ``explored(models)`` returns
            what `jsuper.explore` takes.
    """

    title: str
    source: str
    minutes: float
    full: Any
    quick: Any
    train: Callable[[Any], Mapping[str, xr.Dataset]]
    findings: Callable[[xr.DataTree], list[Finding]]
    figures: Callable[[xr.DataTree], Mapping[str, Figure | Animation]]
    explored: Callable[[xr.DataTree], xr.Dataset] | None = None

    def models(self, settings: Any) -> xr.DataTree:
        """Trains and measures all models.

        Args:
            settings: ``full``, ``quick``, or either with fields replaced, which the
                attributes of the returned tree say.
        """
        tree = xr.DataTree.from_dict(dict(self.train(settings)))
        tree.attrs = self.described(settings)
        return tree

    def described(self, settings: Any) -> dict[str, str]:
        """Returns the attributes of the models that some settings give."""
        said = json.dumps(dataclasses.asdict(settings))
        size = "full" if settings == self.full else "quick"
        return {"experiment": self.title, "settings": said, "size": size}

    def trained_before(self, folder: Path, settings: Any) -> xr.DataTree | None:
        """Returns the models that a folder holds, if they come from the same settings."""
        if not (folder / MODELS).is_file():
            return None
        models = files.load(folder / MODELS)
        same = models.attrs.get("settings") == self.described(settings)["settings"]
        return models if same else None

    def write(
        self, models: xr.DataTree, found: Sequence[Finding], folder: Path
    ) -> Iterator[Path]:
        """Writes findings, settings and figures of some models into an existing folder.

        Yields:
            The path of every file, once it is in place.
        """
        note = f"{QUICK}\n\n" if models.attrs.get("size") == "quick" else ""
        texts = {"findings.md": note + told.table(found), "findings.csv": told.rows(found)}
        texts["settings.md"] = self.settings_table()
        for name, text in texts.items():
            with files.whole_file(folder / name, force=True) as written:
                written.write_text(text, encoding="utf-8")
            yield folder / name
        for name, figure in self.figures(models).items():
            animated = isinstance(figure, Animation)
            path = folder / f"{name}.{'gif' if animated else 'png'}"
            with files.whole_file(path, force=True) as written:
                if animated:
                    figure.save(written, writer=PillowWriter(fps=12))
                else:
                    figure.savefig(written, dpi=150)
            yield path
        if self.explored is not None:
            yield from self._write_explored(models, self.explored(models), folder)

    def _write_explored(
        self, models: xr.DataTree, ds: xr.Dataset, folder: Path
    ) -> Iterator[Path]:
        """Writes the models of a page, and the page where Bokeh is installed."""
        small = ", small version" if models.attrs.get("size") == "quick" else ""
        ds = ds.assign_attrs(title=f"{self.title}{small}")
        yield files.save(ds, folder / EXPLORED, force=True)
        if importlib.util.find_spec("bokeh") is not None:
            page = explorer.explore(folder / EXPLORED)
            yield page.save(folder / "explorer.html", force=True)

    def settings_table(self) -> str:
        """Returns the settings as a Markdown table."""
        lines = ["| setting | full | quick |", "|---|---|---|"]
        for field in dataclasses.fields(self.full):
            values = (getattr(which, field.name) for which in (self.full, self.quick))
            name = field.metadata.get("name", field.name.replace("_", " "))
            lines.append(f"| {name} | {' | '.join(map(_setting, values))} |")
        return "\n".join(lines) + "\n"


def models_in(folder: Path) -> Path:
    """Returns the file of the models that an experiment has written into its folder.

    Raises:
        FileNotFoundError: If there is none.
    """
    path = folder / MODELS
    if not path.is_file():
        raise FileNotFoundError(
            f"the folder must be one that jsuper reproduce has written, got "
            f"{folder.parent} without {folder.name}/{MODELS}"
        )
    return path


def _setting(value: Any) -> str:
    if isinstance(value, tuple):
        if len(value) > 8:
            return f"{len(value)} from {_setting(value[0])} to {_setting(value[-1])}"
        return ", ".join(map(_setting, value))
    if not wording.is_number(value):
        return str(value)
    said = f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
    return said.replace("-", "−")
