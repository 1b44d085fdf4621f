"""Examples in the pages, the README and scripts/ run as they stand, with fewer steps."""

import re
from pathlib import Path

import pytest

from jsuper import affixes, experiments

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("gallery/*.md"))]


def examples(page: Path) -> str:
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(), flags=re.S | re.M)
    return "\n".join(blocks)


def run(code: str, name: str) -> None:
    code = code.replace("js.use_cpu_cores()", "js.use_cpu_cores(2)")
    code = re.sub(r"steps=[\d_]+", "steps=20", code)
    code = re.sub(r"fori_loop\(0, [\d_]+", "fori_loop(0, 20", code)
    code = code.replace("axes, key=", "axes, js.Recipe(steps=20), key=")
    exec(compile(code, name, "exec"), {})


@pytest.mark.parametrize("page", [p for p in PAGES if examples(p)], ids=lambda p: p.name)
def test_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(examples(page), page.name)


def test_the_affix_experiment_in_a_few_lines(capsys):
    path = ROOT / "scripts" / "affix_hallucination.py"
    run(path.read_text(), path.name)
    assert len(capsys.readouterr().out.splitlines()) == 2 + len(affixes.PAIRS)


@pytest.mark.parametrize("name", experiments.NAMES)
def test_every_experiment_has_a_short_program(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = ROOT / "scripts" / f"{name.replace('-', '_')}.py"
    code = path.read_text()
    if name == "learning-dynamics":  # its snapshots are those of the whole run
        exec(compile(code.replace("cores()", "cores(2)"), path.name, "exec"), {})
    else:
        run(code, path.name)
    assert f"scripts/{path.name}" in (DOCS / "gallery" / f"{name}.md").read_text()
