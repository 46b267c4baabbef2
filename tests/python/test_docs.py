# SPDX-License-Identifier: Apache-2.0
"""The manual quotes the examples as they are."""
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_quoted_code_is_what_runs():
    text = (ROOT / "docs" / "python.md").read_text()
    quotes = re.findall(r"<!-- (examples/\S+) -->\n```python\n(.*?)```", text, re.DOTALL)
    assert len(quotes) == 3
    for path, code in quotes:
        assert code in (ROOT / path).read_text(), path


def test_every_variable_is_in_the_manual():
    text = (ROOT / "docs" / "python.md").read_text()
    names = re.findall(r'get\("([A-Z_]+)"', (ROOT / "python/deepxtrace/_settings.py").read_text())
    assert len(names) >= 9
    for name in names:
        assert f"DEEPEP_DIAGNOSE_{name}" in text or f"`_{name.rsplit('_', 1)[1]}`" in text, name
