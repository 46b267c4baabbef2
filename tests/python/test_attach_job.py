# SPDX-License-Identifier: Apache-2.0
"""A job that knows nothing of the diagnosis, under deepxtrace-run, from its first step to the named
ranks. In the CMake tests this runs alone."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("torch")

import deepxtrace  # noqa: E402
from unaware_job import run  # noqa: E402


@pytest.mark.parametrize("method", ["robust", "ratio"])
def test_names_the_slow_ranks(tmp_path: Path, method: str) -> None:
    done = run(
        tmp_path, "--interval", "1", "--method", method, STEPS="60", DELAY_MS="50", RANKS="4"
    )
    assert done.returncode == 0 and "DeepXTrace" not in done.stdout, done.stdout
    first, last = done.stdout.splitlines()
    assert first.startswith("deepxtrace: diagnosing 4 ranks; ") and first.endswith("_rank0.log")
    found = {"robust": r"\d+ findings.*", "ratio": "judged by the ratio rule"}[method]
    assert re.fullmatch(rf"deepxtrace: \d+ windows of 4 ranks, {found}; see .*_rank0.log", last)
    log = (tmp_path / "diagnose_rank0.log").read_text()
    assert "attached to deep_ep.Buffer: 16 experts, 1 waits for a source" in log
    assert "failed" not in log, log
    for phase, slow in (("dispatch", 2), ("combine", 3)):
        # The most expensive of each window comes first; a loaded machine may add others to it.
        windows = [w for w in deepxtrace.Window.read(tmp_path / "diagnose_rank0.jsonl")
                   if w.phase == phase]
        assert len(windows) >= 2
        named = Counter(max(found, key=lambda col: col[1])[0] for found in
                        (w.analyze(method).abnormal_cols for w in windows) if found)
        assert named.most_common(1)[0][0] == slow and 2 * named[slow] > len(windows)
        # The hosts are known, and that they are one node.
        assert all(len(set(w.hosts)) == 1 and set(w.nodes) == {0} for w in windows)
        if method == "robust":
            assert re.search(rf"^[A-Z]+ +\S+ begins: rank {slow} .* in {phase}: ", log, re.M), log
    assert all(name.startswith("diagnose_") for name in os.listdir(tmp_path))
    assert all(w.ops > 0 for w in windows)
