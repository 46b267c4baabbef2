# SPDX-License-Identifier: Apache-2.0
"""A recording is judged in Python as `deepxtrace analyze` judges it: line for line, and the summary
of each run."""
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

import deepxtrace

DATA = Path(__file__).parent.parent / "recorded" / "data"
COMMAND = Path(deepxtrace.get_library()).parent.parent / "bin" / "deepxtrace"


def command(*words):
    return subprocess.run([COMMAND, *words], capture_output=True, text=True, check=True).stdout


def analyze(path, *words):
    """Windows and summaries of the command, each in their order."""
    lines = [json.loads(line) for line in
             command("analyze", "--json", "--summary", *words, path).splitlines()]
    return ([line for line in lines if "verdict" in line],
            [line for line in lines if "verdict" not in line])


def instance(line):
    return line.get("instance") or ""


def without_jobs(text):
    """Lines of summaries. The command sees a line at a time, and names no job before the second."""
    return sorted(line for line in text.splitlines() if not line.startswith("job "))


def same(path, *words, **options):
    windows, summaries = analyze(path, *words)
    judged = deepxtrace.read(path).analyze(**options)
    # The command tells an interval once it is whole, whatever other jobs write meanwhile.
    assert (sorted((found.to_dict() for found in judged), key=instance)
            == sorted(windows, key=instance))
    key = json.dumps
    assert sorted(map(key, (run.summary for run in judged.runs))) == sorted(map(key, summaries))
    told = command("analyze", "--summary-only", *words, path) if judged.runs else ""
    assert without_jobs(judged.summary) == without_jobs(told)
    return judged


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.glob("*.jsonl")))
def test_as_the_command(name):
    same(DATA / name)


@pytest.fixture(scope="module")
def drifting(tmp_path_factory):
    """A rank that is late by too little for one window, and another one."""
    path = tmp_path_factory.mktemp("runs") / "drifting.jsonl"
    path.write_text(command("simulate", "--ranks", "8", "--windows", "16", "--slow",
                            "dispatch:3:8us", "--slow", "combine:5:60us"))
    return path


def test_jobs_are_told_apart(tmp_path):
    path = tmp_path / "two.jsonl"
    one, other = (command("simulate", "--ranks", "4", "--windows", "3", "--seed", seed)
                  for seed in ("1", "2"))
    path.write_text("".join(line.replace('{"v":1', f'{{"v":1,"instance":"{name}"')
                            for name, text in (("a", one), ("b\x7f", other))
                            for line in text.splitlines(keepends=True)))
    text = deepxtrace.read(path).analyze().summary
    assert [line for line in text.splitlines() if "job" in line] == ["job a:", "job b?:"]


def test_history_summary_and_timeline(drifting):
    judged = same(drifting)
    alone = [window.analyze(min_share=0.01).to_dict() for window in deepxtrace.read(drifting)]
    assert [found.to_dict() for found in judged] != alone  # the history has its say
    (run,) = judged.runs
    assert "rank 5" in judged.summary and str(run) == judged.summary
    timeline = judged.timeline("combine")
    assert timeline.measure == "ns/op"
    assert timeline.lateness.shape == (8, len(timeline.windows)) == (8, 16)
    assert np.nanmean(timeline.lateness, axis=1).argmax() == 5
    assert judged.timeline().phase == "dispatch"
    with pytest.raises(KeyError):
        judged.timeline("alltoall")


@pytest.mark.parametrize("words, options", [
    (("--min-share", "10%"), {"min_share": 0.1}),
    (("--ranks-per-node", "4"), {"ranks_per_node": 4}),
    (("--method", "ratio"), {"method": "ratio"}),
    (("--method", "ratio", "--threshold-col", "1.2", "--excluding-zeros"),
     {"method": "ratio", "threshold_col": 1.2, "excluding_zeros": True})])
def test_options(drifting, words, options):
    same(drifting, *words, **options)


def test_jobs_that_write_in_turns_and_runs_that_follow(drifting, tmp_path):
    lines = drifting.read_text().splitlines()
    ours = [json.loads(line) for line in lines]
    mixed = []
    for line in ours:
        mixed += [dict(line, instance="first"), dict(line, instance="second")]
    mixed += [dict(line, instance="second", window=line["window"] % 3) for line in ours[:6]]
    path = tmp_path / "mixed.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in mixed))
    judged = same(path)
    assert len(judged.runs) == 3
    for line in mixed:
        del line["window"]
    path.write_text("".join(json.dumps(line) + "\n" for line in mixed))
    assert same(path).runs == ()


def test_a_part_of_a_recording_and_nothing(drifting):
    windows = deepxtrace.read(drifting)
    part = deepxtrace.Recording(windows[20:])
    assert len(part.analyze()) == len(windows) - 20
    nothing = deepxtrace.Recording().analyze()
    assert list(nothing) == [] and nothing.runs == () and nothing.summary == ""
    with pytest.raises(ValueError):
        windows.analyze("median")
