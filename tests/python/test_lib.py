# SPDX-License-Identifier: Apache-2.0
"""The table of the library, and what is asked of it at import."""
import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

import deepxtrace
from deepxtrace import _lib


def run(code, **environment):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env={**os.environ, **environment}, check=False)


def test_the_package_and_the_library_agree():
    assert _lib._differences() == []
    assert deepxtrace.__version__ == _lib.lib.dxt_version().decode()
    assert os.path.exists(deepxtrace.get_library())


def test_another_layout_is_noticed(monkeypatch):
    class Window(ctypes.Structure):
        _fields_ = [("struct_size", ctypes.c_size_t), ("ranks", ctypes.c_uint64)]

    monkeypatch.setitem(_lib._STRUCTS, "dxt_window", Window)
    monkeypatch.setattr(_lib, "ERR_STATE", -10)
    wrong = _lib._differences()
    assert "DXT_ERR_STATE is -9, not -10" in wrong
    assert any(text.startswith("sizeof dxt_window is ") for text in wrong)
    assert len(wrong) == 2


def test_a_library_of_another_version_is_one_clear_error(tmp_path):
    source = Path(_lib.__file__).read_text().replace("PROBE_LAYOUT = 4096,", "PROBE_LAYOUT = 4097,")
    (tmp_path / "changed.py").write_text(source)
    done = run("import changed", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "of another version than this package: DXT_MAX_RANKS is 4096, not 4097" in done.stderr


def test_a_missing_library_is_one_clear_error(tmp_path):
    done = run("import deepxtrace", DEEPXTRACE_LIBRARY_PATH=str(tmp_path))
    assert done.returncode == 1
    assert "ImportError: libdeepxtrace.so.0 of DeepXTrace cannot be loaded" in done.stderr


@pytest.mark.parametrize("command", ["_command", "run"])
def test_the_commands_of_the_wheel_need_no_numpy(command):
    done = run(f"import sys; sys.modules['numpy'] = None\nimport deepxtrace.{command}")
    assert done.returncode == 0, done.stderr


def test_what_is_imported_late_is_there_from_the_start():
    done = run("import sys, deepxtrace\n"
               "early = {'numpy', 'deepxtrace.window', 'deepxtrace._attach'} & set(sys.modules)\n"
               "print(early, set(deepxtrace.__all__) - set(dir(deepxtrace)),\n"
               "      [name for name in deepxtrace.__all__ if not hasattr(deepxtrace, name)],\n"
               "      hasattr(deepxtrace, 'no_such_thing'))\n"
               "from deepxtrace import *\n"
               "print(read == Window.read, deepxtrace.window.Window is Window)")
    assert done.stdout.splitlines() == ["set() set() [] False", "True True"], done.stderr


@pytest.mark.parametrize("module", ["adapters", "window"])
def test_a_public_module_is_there_without_another_import(module):
    done = run(f"import deepxtrace; print(deepxtrace.{module}.__name__)")
    assert done.stdout == f"deepxtrace.{module}\n", done.stderr


def test_numpy_is_all_it_takes():
    done = run("import sys; sys.modules['torch'] = None\n"
               "import deepxtrace, numpy as np\n"
               "from deepxtrace import diagnose as ds\n"
               "print(ds.Diagnose.diagnose_matrix(np.eye(4, dtype=int) + 1)['abnormal_cols'])\n"
               "print(deepxtrace.Window(np.eye(4, dtype=int)).analyze().verdict)")
    assert done.stderr == "" and done.stdout.startswith("[]\n")


def test_errors_have_the_words_of_the_library():
    with pytest.raises(deepxtrace.DeepXTraceError, match="data:2: row 1 has 1 values") as caught:
        deepxtrace.Window.parse("1 2\n3")
    assert caught.value.status == _lib.ERR_FORMAT


def test_what_the_library_says_goes_to_who_listens():
    heard = []
    _lib.listen(lambda level, text: heard.append((level, text)))
    try:
        with pytest.raises(deepxtrace.DeepXTraceError):
            deepxtrace.Window.parse("1 2\n3")
    finally:
        _lib.listen(None)
    with pytest.raises(deepxtrace.DeepXTraceError):
        deepxtrace.Window.parse("1 2\n3")
    assert heard == [(_lib.LOG_ERROR, "data:2: row 1 has 1 values, 2 were expected")]
