"""Examples in the pages, the README and scripts/ run as they stand."""

import re
from pathlib import Path

import pytest

import jsuper as js
from jsuper import affixes, experiments

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("gallery/*.md"))]

pytestmark = pytest.mark.optimized


def examples(page: Path) -> str:
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(), flags=re.S | re.M)
    return "\n".join(blocks)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Examples write where they stand; the cores are shared out before any test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(js, "use_cpu_cores", lambda: None)


def run(code: str, name: str) -> None:
    exec(compile(code, name, "exec"), {})


def test_the_readmes_example_runs():
    run(examples(PAGES[0]), PAGES[0].name)


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [p for p in PAGES[1:] if examples(p)], ids=lambda page: page.name
)
def test_examples_run(page):
    run(examples(page), page.name)


@pytest.mark.slow
def test_the_affix_experiment_in_a_few_lines(capsys):
    path = ROOT / "scripts" / "affix_hallucination.py"
    run(path.read_text(), path.name)
    assert len(capsys.readouterr().out.splitlines()) == 2 + len(affixes.PAIRS)


@pytest.mark.slow
@pytest.mark.parametrize("name", experiments.NAMES)
def test_every_experiment_has_a_short_program(name):
    path = ROOT / "scripts" / f"{name.replace('-', '_')}.py"
    run(path.read_text(), path.name)
    assert f"scripts/{path.name}" in (DOCS / "gallery" / f"{name}.md").read_text()
