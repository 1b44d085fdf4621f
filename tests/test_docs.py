"""The pages' and the README's Python examples run as they stand, with fewer steps."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("gallery/*.md"))]


def examples(page: Path) -> str:
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(), flags=re.S | re.M)
    return "\n".join(blocks)


@pytest.mark.parametrize("page", [p for p in PAGES if examples(p)], ids=lambda p: p.name)
def test_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = examples(page).replace("js.use_cpu_cores()", "js.use_cpu_cores(2)")
    code = re.sub(r"steps=[\d_]+", "steps=20", code)
    code = code.replace("axes, key=", "axes, js.Recipe(steps=20), key=")
    exec(compile(code, page.name, "exec"), {})
