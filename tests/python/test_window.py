# SPDX-License-Identifier: Apache-2.0
"""Windows and findings from NumPy and from files."""
import base64
import doctest
import gzip
import json
import os
import re
import subprocess
import tarfile
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest

import deepxtrace
from deepxtrace import DeepXTraceError, Window, window

DATA = Path(__file__).parent.parent / "recorded" / "data"
COMMAND = Path(deepxtrace.get_library()).parent.parent / "bin" / "deepxtrace"


def late(rank, ranks=8, **fields):
    waits = np.full((ranks, ranks), 1000)
    waits[:, rank], waits[rank, :] = 90_000, 0
    return Window(waits, **fields)


def analyze(path, *words):
    done = subprocess.run([COMMAND, "analyze", "--json", *words, path], capture_output=True,
                          text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_example_in_the_documentation_of_the_module():
    assert doctest.testmod(window).failed == 0


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.glob("*.jsonl")))
def test_a_recording_keeps_all_it_has(name):
    for text in (DATA / name).read_text().splitlines():
        read, = Window.parse(text)
        again, = Window.parse(read.to_json())
        assert json.loads(again.to_json()) == json.loads(read.to_json())
        kept = json.loads(read.to_json())
        for key, value in json.loads(text).items():
            if value is not None and key not in ("ticks_per_second", "samples"):
                assert kept[key] == value, key


@pytest.mark.parametrize("method", ["ratio"])
def test_findings_are_those_of_the_command(method):
    path = DATA / "deepep-ep4-h200.jsonl"
    windows, answers = Window.read(path), analyze(path, "--method", method)
    assert len(windows) == len(answers) > 100
    for read, answer in zip(windows, answers):
        assert read.analyze(method).to_dict() == answer


def test_every_field_travels():
    n = 3
    given = Window(np.arange(9).reshape(3, 3), "combine", unit="ns",
                   ticks_per_second=[1e9, 2e9, 3e9], samples=np.arange(9).reshape(3, 3) + 1,
                   ops=7, elapsed_ns=123, nodes=[0, 0, 1],
                   hosts=["a", "b", "ü"], index=4, instance="job", begin="2025-09-15T16:28:53Z",
                   source="test", case="none", bytes=np.full((n, n), 5), last=np.ones((n, n), int),
                   extra={"label": {"cols": [1]}}, missing=[1])
    read, = Window.parse(given.to_json())
    assert (read.phase, read.unit, read.ops, read.elapsed_ns, read.index) == (
        "combine", "ns", 7, 123, 4)
    assert (read.instance, read.begin, read.source, read.case) == (
        "job", "2025-09-15T16:28:53Z", "test", "none")
    assert read.hosts == ("a", "b", "ü") and read.missing == (1,)
    assert read.extra == {"label": {"cols": [1]}} and read.nodes.tolist() == [0, 0, 1]
    assert read.wait.tolist() == [[0, 1, 2], [0, 0, 0], [6, 7, 8]]
    assert read.samples[2].tolist() == [7, 8, 9] and read.bytes.min() == 5 == read.bytes.max()
    assert read.last.tolist() == np.ones((n, n), int).tolist()
    assert read.ticks_per_second.tolist() == [1e9, 2e9, 3e9]
    assert read.measure == "ns/op"
    values = read.values()
    assert np.isnan(values[1]).all() and values[2].tolist() == [6 / 7, 7 / 8, 8 / 9]


def test_what_a_window_says_of_its_origin_travels():
    devices = [{"host": "h", "gpu": 3, "uuid": "GPU-1", "pci": "0000:3b:00.0", "pid": 7,
                "rank": 9}, None]
    given = Window([[0, None], [4, np.nan]], unit="ns", ops=[2, None], devices=devices,
                   tokens=[[1, 2], [None, 3]], origin="duration", min_share=0.05, group="ep", mix=3,
                   run_delay_ns=[7, None])
    read, = Window.parse(given.to_json())
    assert read.wait.tolist() == [[0, deepxtrace.NOT_OBSERVED], [4, deepxtrace.NOT_OBSERVED]]
    assert read.rank_ops.tolist() == [2, deepxtrace.NOT_OBSERVED] and read.ops == 2
    assert read.devices == (devices[0], {}) == given.devices
    assert read.tokens.tolist() == [[1, 2], [deepxtrace.NOT_OBSERVED, 3]]
    assert (read.origin, read.min_share, read.group, read.mix) == ("duration", 0.05, "ep", "3")
    assert read.run_delay_ns.tolist() == [7, deepxtrace.NOT_OBSERVED]
    assert np.isnan(read.values()).tolist() == [[False, True], [False, True]]
    assert Window([[0, 1], [2, 0]], tokens=[5, 6]).tokens.tolist() == [5, 6]
    for wrong in ({"origin": "guess"}, {"devices": [None]}, {"devices": [{"gpus": 1}, None]},
                  {"devices": [{"uuid": "x" * 64}, None]}, {"tokens": [1, 2, 3]},
                  {"ops": [1, 2, 3]}):
        with pytest.raises(ValueError):
            Window([[0, 1], [2, 0]], **wrong)


def test_what_is_late_is_named():
    found = late(3, samples=10, ticks_per_second=1e9).analyze()
    assert found.verdict == "slow" and len(found) == 1
    finding = found.findings[0]
    assert (finding.kind, finding.rank, finding.path) == ("late_rank", 3, None)
    assert finding.wait_us == pytest.approx(8.9) and "rank 3 is late" in str(finding)
    assert [f.kind for f in found] == ["late_rank"]
    assert "rank 3 is late in dispatch" in str(found)
    path = np.full((8, 8), 1000)
    path[5, 6] = 500_000
    finding, = Window(path, samples=10).analyze().findings
    assert (finding.kind, finding.path) == ("slow_path", (5, 6))


def test_a_companion_tells_a_hot_expert_from_a_late_rank():
    dispatch, combine = np.full((8, 8), 1000), np.full((8, 8), 20_000)
    dispatch[2, :], combine[:, 2] = 80_000, 250_000
    combine[2, :] = 20_000
    alone = Window(combine, "combine").analyze().findings[0]
    both = Window(combine, "combine").analyze(companion=Window(dispatch)).findings[0]
    assert (alone.kind, both.kind) == ("late_rank", "hot_expert")
    assert alone.rank == both.rank == 2


@pytest.mark.parametrize("ending, begin", [("svg", b"<?xml"), ("html", b"<!DOCTYPE html>"),
                                           ("txt", b"dispatch"), ("SVG", b"<?xml")])
def test_pictures(tmp_path, ending, begin):
    path = tmp_path / f"x.{ending}"
    assert late(3).heatmap(path) is None
    content = path.read_bytes()
    assert content.lower().startswith(begin.lower()) or b"<svg" in content[:200]
    assert b"rank 3 is late" in (said_by_page(content) if ending == "html" else content)


def test_a_page_is_packed_and_says_what_to_do(tmp_path):
    waits = np.full((300, 300), 1000)
    waits[:, 3], waits[3, :] = 90_000, 0
    Window(waits, samples=10, ticks_per_second=1e9).heatmap(tmp_path / "x.html")
    content = (tmp_path / "x.html").read_bytes()
    assert content.count(b'data-coding="deflate-raw"') == 2
    assert b'data-coding="plain"' not in content
    about = json.loads(said_by_page(content))
    finding, = about["runs"][0]["operators"][0]["windows"][0]["diagnosis"]["findings"]
    assert finding["kind"] == "late_rank" and "clocks" in about["advice"]["late_rank"]


def said_by_page(content):
    """What a page is about: docs of src/render/page say how it lies in the file."""
    found = re.search(rb'class="about" data-coding="([a-z-]+)">([^<]*)<', content)
    packed = base64.b64decode(found[2])
    return zlib.decompress(packed, -15) if found[1] == b"deflate-raw" else packed


def test_pictures_in_a_notebook():
    assert "<svg" in late(3).heatmap() and late(3)._repr_svg_() == late(3).heatmap()
    html = late(3, hosts=["<b>"] * 8).analyze()._repr_html_()
    assert "late_rank" in html and "<b>)" not in html and "&lt;b&gt;" in html


def test_a_picture_of_an_unknown_kind(tmp_path):
    with pytest.raises(DeepXTraceError, match="x.gif"):
        late(3).heatmap(tmp_path / "x.gif")
    assert not (tmp_path / "x.gif").exists()


@pytest.mark.parametrize("wait, fields, text", [
    ([[1, 2, 3]], {}, "must be square"), ([[1]], {}, "ranks"), ([[0, -2], [0, 0]], {}, "negative"),
    ([[0, .5], [0, 0]], {}, "integers"), (np.zeros((2, 2)), {"unit": "ms"}, "must be 'cycles'"),
    (np.zeros((2, 2)), {"missing": [2]}, "ranks must be 0 to 1"),
    (np.zeros((2, 2)), {"hosts": ["a"]}, "not 1"),
    (np.zeros((2, 2)), {"phase": ""}, "phase"), (np.zeros((2, 2)), {"nodes": [0, -1]}, "node"),
    (np.full((2, 2), 2.0**63), {}, "integers"),
    (np.zeros((2, 2)), {"ticks_per_second": 0}, "ticks_per_second")])
def test_nonsense_is_refused(wait, fields, text):
    with pytest.raises((ValueError, DeepXTraceError), match=text):
        Window(wait, **fields)


def test_options_are_checked():
    for options in ({"method": "best"}, {"threshold_col": 0}, {"min_share": float("nan")}):
        with pytest.raises(ValueError):
            late(3).analyze(**options)


def test_files(tmp_path):
    with pytest.raises(DeepXTraceError, match="No such file"):
        Window.read(tmp_path / "none")
    (tmp_path / "w.txt").write_text("1 2\n3 4\n\n5 6\n7 8\n")
    assert [w.wait.tolist() for w in Window.read(os.fspath(tmp_path / "w.txt"))] == [
        [[1, 2], [3, 4]], [[5, 6], [7, 8]]]


def _log(instance: str, second: int, late: int) -> str:
    wait = [[4000 if column == late and row != late else 40 + row + column for column in range(4)]
            for row in range(4)]
    time = f"[2025-09-15T16:28:{second:02d}.000]"
    return (f"{time} [Diagnose] InstanceID: {instance} EPSize: 4, diagnose: {{}}, Dispatch Wait "
            "Recv Cost Per Token Matrix[src_rank, dst_rank]\n"
            + "".join(f"{time} rank={rank} {row}\n" for rank, row in enumerate(wait)))


def test_whatever_people_have_is_read(tmp_path):
    text = _log("a", 1, 2)
    (tmp_path / "new.log").write_text(_log("a", 3, 2))
    with gzip.open(tmp_path / "old.log.gz", "wt") as file:
        file.write(text + _log("a", 2, 2))
    windows = deepxtrace.read(tmp_path / "new.log", tmp_path / "old.log.gz")
    assert [window.begin[-6:] for window in windows] == ["01.000", "02.000", "03.000"]
    assert [window.index for window in deepxtrace.read(tmp_path)] == [0, 1, 2]
    wait = Window.parse(text)[0].wait
    np.save(tmp_path / "w.npy", np.asfortranarray(wait.astype(">i4")))
    np.savez_compressed(tmp_path / "w.npz", combine=wait, other=np.arange(3))
    for name, phase in (("w.npy", "dispatch"), ("w.npz", "combine")):
        window, = deepxtrace.read(tmp_path / name)
        assert window.phase == phase and np.array_equal(window.wait, wait)
    with tarfile.open(tmp_path / "bundle.tgz", "w:gz") as bundle:
        for inside in (".", "w.npz", "new.log"):
            bundle.add(tmp_path / inside, inside, recursive=False)
        bundle.add(tmp_path / "old.log.gz", "pod/._old.log.gz")
    assert [w.phase for w in deepxtrace.read(tmp_path / "bundle.tgz")] == ["combine", "dispatch"]
    with tarfile.open(tmp_path / "bundle.tgz") as bundle:
        cut = bundle.getmember("new.log").offset_data + 100
    plain = gzip.decompress((tmp_path / "bundle.tgz").read_bytes())
    (tmp_path / "cut.tar").write_bytes(plain[:cut])
    with pytest.warns(UserWarning, match="damaged or cut off"):
        assert len(deepxtrace.read(tmp_path / "cut.tar")) == 1
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "d.log").write_text(text)
    (tmp_path / "folder" / "d.jsonl").write_text(window.to_json() + "\n")
    assert [w.phase for w in deepxtrace.read(tmp_path / "folder")] == ["combine"]


def test_what_cannot_be_read_is_a_warning_or_an_error(tmp_path):
    path = tmp_path / "x.log"
    path.write_text(_log("a", 1, 2) + _log("a", 2, 2).replace("[40,", "[-40,"))
    with pytest.warns(UserWarning, match="the counter ran over; it is left out"):
        assert len(deepxtrace.read(path)) == 1
    with pytest.raises(DeepXTraceError, match="x.log:7: row 0, column 0: -40 is negative"):
        deepxtrace.read(path, strict=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="ran over"):
            deepxtrace.read(path)
    packed = gzip.compress(_log("a", 1, 2).encode() * 50)
    (tmp_path / "cut.gz").write_bytes(packed[:len(packed) - 12])
    with pytest.warns(UserWarning, match="damaged or cut off"):
        assert deepxtrace.read(tmp_path / "cut.gz")
    with pytest.raises(DeepXTraceError, match="No such file"):
        deepxtrace.read(path, tmp_path / "none")
    np.save(tmp_path / "o.npy", np.eye(4).astype(object), allow_pickle=True)
    with pytest.raises(DeepXTraceError, match="never unpickled"):
        deepxtrace.read(tmp_path / "o.npy")
