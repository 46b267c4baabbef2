# SPDX-License-Identifier: Apache-2.0
"""Every default stands once, in the library (dxt_default()): what Python offers and what headers,
manual and man pages say is compared with it."""
import inspect
import re
import subprocess
from pathlib import Path

import pytest

import deepxtrace
from deepxtrace import _lib
from deepxtrace._attach import AttachSettings
from deepxtrace._lib import default
from deepxtrace._settings import Settings
from deepxtrace._watch import PACKAGES

ROOT = Path(__file__).parent.parent.parent
COMMAND = Path(deepxtrace.get_library()).parent.parent / "bin" / "deepxtrace"
SHARE = default("min_share")
THRESHOLDS = [default("threshold_col"), default("threshold_row"), default("threshold_point")]


def text(path):
    return (ROOT / path).read_text()


def row(path, name, column):
    """A cell of the row of a Markdown table that begins with a name."""
    found = [line for line in text(path).splitlines()
             if line.startswith("|") and f"`{name}" in line]
    assert len(found) == 1, name
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", found[0])[1:-1]][column]


def numbers(words):
    return [float(number) / (100 if percent else 1)
            for number, percent in re.findall(r"(\d+(?:\.\d+)?)( ?%)?", words)]


def test_a_name_that_there_is_not():
    with pytest.raises(ImportError):
        default("interval")


def test_settings_without_an_environment():
    settings = Settings.read(default("interval_s"), {})
    assert settings.interval == settings.warming_time == default("interval_s")
    assert settings.sync_step == default("sync_step")
    assert [settings.threshold_col, settings.threshold_row,
            settings.threshold_point] == THRESHOLDS
    assert AttachSettings.read({}, {}).interval == default("interval_s")


def test_arguments():
    of = inspect.signature(deepxtrace.Window.analyze).parameters
    assert [of[f"threshold_{axis}"].default for axis in ("col", "row", "point")] == THRESHOLDS
    assert of["min_share"].default == SHARE


def test_arguments_of_the_diagnosis():
    pytest.importorskip("torch")
    from deepxtrace.diagnose import Diagnose

    of = inspect.signature(Diagnose.diagnose_matrix).parameters
    assert [of[f"thres_{axis}"].default for axis in ("col", "row", "point")] == THRESHOLDS
    assert inspect.signature(Diagnose).parameters["interval"].default == default("interval_s")
    crowded = re.search(r"else ([0-9.]+), or ([0-9.]+) where", Diagnose.__doc__)
    assert [float(part) for part in crowded.groups()] == [SHARE, default("min_share_crowded")]


@pytest.mark.parametrize("name, wanted", [
    ("INTERVAL", [default("interval_s")]), ("SYNC_STEP", [default("sync_step")]),
    ("THRESHOLD_COL", THRESHOLDS), ("MIN_SHARE", [SHARE])])
def test_the_manual(name, wanted):
    assert numbers(row("docs/python.md", "DEEPEP_DIAGNOSE_" + name, 1)) == wanted


@pytest.mark.parametrize("option, wanted", [
    ("--interval", [default("interval_s")]), ("--min-share", [SHARE])])
def test_the_launcher(option, wanted):
    assert numbers(row("docs/python-attach.md", option, 3)) == wanted
    page = text("docs/man/deepxtrace-run.1").replace("\\-", "-")
    about = page[page.index(f".BI {option} "):].split(".TP")[1 - 1]
    said = re.search(r"^Default (.*)$", about, re.MULTILINE).group(1)
    assert numbers(said)[:1] == wanted


def test_packages_of_the_launcher():
    assert re.findall(r"`(\w+)`", row("docs/python-attach.md", "--modules", 3)) == list(PACKAGES)
    assert f"Default {', '.join(PACKAGES)}." in text("docs/man/deepxtrace-run.1")


@pytest.mark.parametrize("page", ["analyze", "heatmap"])
def test_man_pages(page):
    said = text(f"docs/man/deepxtrace-{page}.1")
    assert numbers(re.search(r"^Default ([^.]*%)\.", said, re.MULTILINE).group(1)) == [SHARE]
    assert [float(number) for number in re.findall(r"\(default (\d+)\)", said)] == [
        THRESHOLDS[0], THRESHOLDS[2]]


def helped(command):
    """The defaults that a command's help names, by option."""
    said = subprocess.run([COMMAND, command, "--help"], capture_output=True, text=True,
                          check=True).stdout
    options = re.split(r"\n  (?:-\w, )?--(?=[a-z])", said.split("\n\nExamples:")[0])[1:]
    found = ((re.match(r"[a-z-]+", option).group(),
              re.search(r"\(default ([^ ;)]+)\)", " ".join(option.split())))
             for option in options)
    return {name: value.group(1) for name, value in found if value}


@pytest.mark.parametrize("command", ["analyze", "heatmap", "compare", "report", "top"])
def test_help_of_what_judges(command):
    said = helped(command)
    assert numbers(said["min-share"]) == [SHARE]
    if command in ("compare", "top"):  # without the ratio method
        assert "threshold-col" not in said
        return
    assert [float(said[f"threshold-{axis}"]) for axis in ("col", "row", "point")] == THRESHOLDS


@pytest.mark.parametrize("command, least", [("job", 7), ("simulate", 9)])
def test_help_and_man_page_agree(command, least):
    blocks = text(f"docs/man/deepxtrace-{command}.1").replace("\\-", "-").split(".TP\n")
    options = helped(command)
    assert len(options) >= least
    for name, value in options.items():
        (about,) = [block for block in blocks
                    if re.search(rf"--{name}(?![a-z-])", block.split("\n")[0])]
        said = re.search(r"^Default ([^ ,;]+?)[.,;]?(?: |$)", about, re.MULTILINE)
        assert said and said.group(1) == value, name


def test_headers():
    analysis, session = text("include/deepxtrace/analysis.h"), text("include/deepxtrace/session.h")
    assert [float(number) for number in re.findall(r"ratio: 0 = default ([0-9.]+)", analysis)
            ] == THRESHOLDS
    assert float(re.search(r"else ([0-9.]+) \*/", analysis).group(1)) == SHARE
    assert f"0 = {default('interval_ops'):g} */" in session
    assert f"0 = {default('interval_s'):g} s" in session
    assert f"0 = {1000 * default('deadline_sync_s'):g} ms" in session
    assert f"0 = {default('deadline_s'):g} s" in session
    assert (f"NULL for the usual thresholds ({THRESHOLDS[0]:g}, {THRESHOLDS[1]:g} and "
            f"{THRESHOLDS[2]:g})") in text("include/deepxtrace/ratio.h")


def test_no_default_stands_in_python():
    for path in sorted((ROOT / "python/deepxtrace").rglob("*.py")):
        assert not re.search(r"float = (0\.01|3|5|20)\b|\b580\b", path.read_text()), path
    assert _lib.lib.dxt_default(b"min_share") == SHARE
