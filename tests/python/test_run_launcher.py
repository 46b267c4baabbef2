# SPDX-License-Identifier: Apache-2.0
"""deepxtrace-run: what it does to Python programs, and that it does nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest

pytest.importorskip("torch")

import deepxtrace  # noqa: E402
from deepxtrace import run  # noqa: E402
from standins import VERSIONS, write_deep_ep  # noqa: E402

PACKAGE = str(Path(deepxtrace.__file__).parent.parent)
ATTACHED = (
    "import deep_ep; print('attached', hasattr(deep_ep.Buffer.low_latency_dispatch,"
    " '__wrapped__'), flush=True)"
)


@pytest.fixture
def env(tmp_path: Path) -> Dict[str, str]:
    """An environment with a deep_ep and without any of our settings."""
    write_deep_ep(tmp_path, VERSIONS["2025-07, both"])
    clean = {k: v for k, v in os.environ.items() if not k.startswith("DEEPXTRACE")}
    for name in ("DEEPXTRACE_LIBRARY_PATH",):
        if name in os.environ:
            clean[name] = os.environ[name]
    clean["PYTHONPATH"] = os.pathsep.join([str(tmp_path), PACKAGE])
    clean["PYTHONDONTWRITEBYTECODE"] = "1"
    return clean


def launch(env: Dict[str, str], *command: str, options: Optional[List[str]] = None) -> Any:
    """Run a command under the launcher. Its own last line is taken off standard error: `last`."""
    done: Any = subprocess.run(
        [sys.executable, "-m", "deepxtrace.run", *(options or []), *command],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    lines = done.stderr.splitlines(True)
    done.last = lines.pop() if lines and lines[-1].startswith("deepxtrace: ") else ""
    done.stderr = "".join(lines)
    return done


def test_not_attached_without_it(env: Dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ATTACHED], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout == "attached False\n"


@pytest.mark.parametrize("way", ["itself", "subprocess", "shell", "script"])
def test_attaches_python_however_it_is_started(
    env: Dict[str, str], tmp_path: Path, way: str
) -> None:
    script = tmp_path / "program"
    script.write_text(f"#!{sys.executable}\n{ATTACHED}\n")
    script.chmod(0o755)
    command = {
        "itself": [sys.executable, "-c", ATTACHED],
        "subprocess": [
            sys.executable,
            "-c",
            f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ATTACHED!r}])",
        ],
        "shell": ["sh", "-c", f'cd / && "{sys.executable}" -c "{ATTACHED}"'],
        "script": [str(script)],
    }[way]
    done = launch(env, *command)
    assert (done.stdout, done.stderr, done.returncode) == ("attached True\n", "", 0)


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_attaches_workers(env: Dict[str, str], tmp_path: Path, method: str) -> None:
    program = tmp_path / "workers.py"
    program.write_text(
        "import multiprocessing, sys\n"
        "def work():\n"
        f"    {ATTACHED}\n"
        "if __name__ == '__main__':\n"
        f"    context = multiprocessing.get_context({method!r})\n"
        "    worker = context.Process(target=work)\n"
        "    worker.start()\n"
        "    worker.join()\n"
        "    sys.exit(worker.exitcode)\n"
    )
    done = launch(env, sys.executable, str(program))
    assert (done.stdout, done.stderr, done.returncode) == ("attached True\n", "", 0)


def test_attaches_the_workers_of_torchrun(env: Dict[str, str], tmp_path: Path) -> None:
    program = tmp_path / "worker.py"
    program.write_text(ATTACHED + "\n")
    options = ["--standalone", "--nproc_per_node=2"]
    torchrun = [sys.executable, "-m", "torch.distributed.run", *options, str(program)]
    if subprocess.run(torchrun, env=env, capture_output=True, check=False).returncode != 0:
        pytest.skip("torchrun of this torch does not work with this Python")
    done = launch(env, *torchrun)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n") == ["attached True", "attached True", ""]


def test_works_for_an_interpreter_without_the_package(env: Dict[str, str], tmp_path: Path) -> None:
    env["PYTHONPATH"] = str(tmp_path)
    program = (
        "import sys\n"
        f"sys.path.insert(0, {PACKAGE!r})\n"
        "from deepxtrace.run import main\n"
        "main(sys.argv[1:])\n"
    )
    inner = ATTACHED + f"; import sys; assert {PACKAGE!r} not in sys.path"
    done = subprocess.run(
        [sys.executable, "-c", program, sys.executable, "-c", inner],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "attached True\n"
    assert done.stderr == ("deepxtrace: nothing was diagnosed: no Buffer in low-latency mode was"
                           " made (deep_ep was imported)\n")


LOOK = (
    "import sys; print(sys.path, sorted(m for m in sys.modules if not m.startswith('_')),"
    " 'deepxtrace' in sys.modules)"
)


def test_other_python_programs_see_nothing_of_it(env: Dict[str, str]) -> None:
    plain = subprocess.run(
        [sys.executable, "-c", LOOK], env=env, capture_output=True, text=True, check=True
    )
    done = launch(env, sys.executable, "-c", LOOK)
    modules = "'sitecustomize', "
    assert done.stdout.replace(modules, "") == plain.stdout.replace(modules, "")
    assert done.stdout.endswith("False\n")


def test_a_program_may_detach(env: Dict[str, str]) -> None:
    program = (
        "import importlib, deep_ep, deepxtrace\n"
        "print(hasattr(deep_ep.Buffer.low_latency_dispatch, '__wrapped__'))\n"
        "deepxtrace.detach()\n"
        "importlib.reload(deep_ep.buffer), importlib.reload(deep_ep)\n"
        "print(hasattr(deep_ep.Buffer.low_latency_dispatch, '__wrapped__'))\n"
    )
    done = launch(env, sys.executable, "-c", program)
    assert (done.stdout, done.stderr) == ("True\nFalse\n", "")


SITE = "import sys\nprint('the site speaks', __name__, __file__, flush=True)\nsys.spoken = 1\n"


@pytest.mark.parametrize("end", ["", "raise RuntimeError('broken site')\n", "import no_such\n"])
def test_an_existing_sitecustomize_is_run_once(
    env: Dict[str, str], tmp_path: Path, end: str
) -> None:
    site = tmp_path / "sitecustomize.py"
    site.write_text(SITE + end)
    program = ATTACHED + "; import sys; print(sys.spoken)"
    plain = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False
    )
    done = launch(env, sys.executable, "-c", program)
    # Once in the launcher's own interpreter, before it becomes the command.
    spoken = f"the site speaks sitecustomize {site}\n"
    assert plain.stdout == spoken + "attached False\n1\n"
    assert done.stdout == spoken + plain.stdout.replace("False", "True")
    assert (plain.returncode, done.returncode) == (0, 0)
    assert done.stderr.count("broken site") == 2 * plain.stderr.count("broken site")
    assert done.stderr.count("no_such") == 2 * plain.stderr.count("no_such")


def test_an_isolated_interpreter_is_left_alone(env: Dict[str, str]) -> None:
    done = launch(env, sys.executable, "-I", "-c", "import sys; print(len(sys.path) > 0)")
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_the_command_takes_our_place(env: Dict[str, str], tmp_path: Path) -> None:
    done = launch(env, "sh", "-c", 'printf "%s|" "$@"; exit 7', "sh", "", "a b", "--", "--interval")
    assert (done.stdout, done.stderr, done.returncode) == ("|a b|--|--interval|", "", 7)
    done = launch(env, "sh", "-c", "kill -9 $$")
    assert done.returncode == -signal.SIGKILL
    # Nor are signals ignored that were not.
    done = launch(env, "sh", "-c", "kill -PIPE $$; echo survived")
    assert (done.stdout, done.returncode) == ("", -signal.SIGPIPE)
    done = launch(env, "--", "sh", "-c", "exit 3")
    assert done.returncode == 3


WHY = [
    ("print(1)", "no Python program imported deep_ep or deep_ep_v25 or nixl_ep or"
     " flashinfer; what is started with -I, -E or -S or without its environment is not seen"),
    ("import deep_ep", "no Buffer in low-latency mode was made (deep_ep was imported)"),
    ("import deep_ep; deep_ep.Buffer(G(2), 1 << 20)",
     "no Buffer in low-latency mode was made (deep_ep was imported)"),
    ("import deep_ep; deep_ep.Buffer(G(1), low_latency_mode=True)",
     "a Buffer had no process group of torch.distributed"),
]


@pytest.mark.parametrize("program, why", WHY)
def test_why_nothing_was_diagnosed_is_said(env: Dict[str, str], program: str, why: str) -> None:
    group = "class G:\n    def __init__(self, n): self.n = n\n    def size(self): return self.n\n"
    done = launch(env, sys.executable, "-c", group + program)
    assert done.last == f"deepxtrace: nothing was diagnosed: {why}\n" and done.returncode == 0
    quiet = launch(env, sys.executable, "-c", group + program, options=["--quiet"])
    assert quiet.last == "" and quiet.stderr == done.stderr


def test_a_version_without_counters_is_the_reason(env: Dict[str, str], tmp_path: Path) -> None:
    write_deep_ep(tmp_path, VERSIONS["2025-02, nothing"])
    done = launch(env, sys.executable, "-c", "import deep_ep")
    assert "deep_ep.buffer.Buffer takes no wait counters" in done.last


def test_without_numpy_one_line_says_so(env: Dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise ModuleNotFoundError('there is no numpy')\n")
    done = launch(env, sys.executable, "-c", ATTACHED + "; raise SystemExit(5)")
    assert (done.stdout, done.returncode) == ("attached False\n", 5)
    assert done.stderr == ("DeepXTrace is not attached to this process (ModuleNotFoundError: there"
                           " is no numpy)\n")
    assert done.last == ("deepxtrace: nothing was diagnosed: DeepXTrace could not be attached:"
                         " there is no numpy\n")


def test_a_folder_that_cannot_be_written_is_one_error_before_the_start(
    env: Dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    bad = [str(tmp_path / "file"), str(tmp_path / "file" / "below"), "/proc/none", "/dev/null/x"]
    for folder in bad:
        done = launch(env, "echo", "started", options=["--output", folder])
        assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1
        assert f"cannot write to {folder}" in done.stderr
    env["DEEPEP_DIAGNOSE_LOG_PATH"] = bad[0]
    assert launch(env, "true").returncode == 2
    good = tmp_path / "new" / "folder"
    assert launch(env, "true", options=["--output", str(good)]).returncode == 0
    assert not good.parent.exists()  # it is made when there is something to write


def test_runs_that_begin_together_may_have_one_new_folder(tmp_path: Path) -> None:
    def check(_: int) -> None:
        run._check_output(str(tmp_path / "new" / "folder"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(check, range(800)))
    assert not list(tmp_path.iterdir())


def start_and_wait(env: Dict[str, str], program: str) -> Any:
    process = subprocess.Popen(
        [sys.executable, "-m", "deepxtrace.run", "sh", "-c", program],
        env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def test_signals_reach_the_command(env: Dict[str, str]) -> None:
    for name in ("TERM", "INT", "HUP", "USR1"):
        process = start_and_wait(
            env, f"trap 'echo got {name}; exit 5' {name}; echo ready; while :; do sleep 0.05; done"
        )
        process.send_signal(getattr(signal, "SIG" + name))
        out, _ = process.communicate(timeout=60)
        assert (out, process.returncode) == (f"got {name}\n", 5)
    process = start_and_wait(env, "echo ready; exec sleep 60")
    process.terminate()
    assert process.wait(60) == -signal.SIGTERM


def test_an_interrupt_before_the_command_begins(env: Dict[str, str], tmp_path: Path) -> None:
    # It left a folder in TMPDIR.
    (tmp_path / "tmp").mkdir()
    program = (
        "import os, signal, tempfile\n"
        "from deepxtrace import run\n"
        "signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
        "make = tempfile.mkdtemp\n"
        "tempfile.mkdtemp = lambda **more: (make(**more), os.kill(os.getpid(), signal.SIGINT))[0]\n"
        "run.main(['sleep', '60'])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], timeout=60,
                          env={**env, "TMPDIR": str(tmp_path / "tmp")})
    assert done.returncode == -signal.SIGINT
    assert os.listdir(tmp_path / "tmp") == []


@pytest.mark.parametrize("options", [[], ["--quiet"]])
def test_an_interrupt_while_the_output_folder_is_tried(
    env: Dict[str, str], tmp_path: Path, options: List[str]
) -> None:
    # It left the folder.
    program = (
        "import os, signal, sys, tempfile\n"
        "from deepxtrace import run\n"
        "signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
        "make = tempfile.TemporaryFile\n"
        "def interrupted(**more):\n"
        "    return (make(**more), os.kill(os.getpid(), signal.SIGINT))[0]\n"
        "tempfile.TemporaryFile = interrupted\n"
        "run.main(sys.argv[1:])\n"
    )
    output = tmp_path / "output"
    done = subprocess.run(
        [sys.executable, "-c", program, *options, "--output", str(output), "sleep", "60"],
        timeout=60, env=env)
    assert done.returncode == -signal.SIGINT
    assert not output.exists()


@pytest.mark.parametrize("who", ["0", "1", "2"])
def test_an_interrupt_while_the_command_begins(
    env: Dict[str, str], tmp_path: Path, who: str
) -> None:
    # From a terminal, it was lost between a look at what is pending and the fork.
    program = (
        "import os, signal, sys\n"
        "from deepxtrace import _supervise, run\n"
        "signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
        "_supervise._FROM_KERNEL = 0  # kill() here is as good as the terminal\n"
        "def interrupt(): os.kill(os.getpid(), signal.SIGINT)\n"
        "fork, who = os.fork, sys.argv[1]\n"
        "def forked():\n"
        "    if who == '0': interrupt()\n"
        "    child = fork()\n"
        "    if who == '1' or who == '2' and child == 0: interrupt()\n"
        "    return child\n"
        "os.fork = forked\n"
        "run.main(['sleep', '20'])\n"
    )
    done = subprocess.run([sys.executable, "-c", program, who], timeout=60,
                          env={**env, "TMPDIR": str(tmp_path)})
    assert done.returncode == -signal.SIGINT


def test_a_killed_launcher_takes_the_command_along(env: Dict[str, str]) -> None:
    process = start_and_wait(env, "echo ready; echo $$; exec sleep 60")
    child = int(process.stdout.readline())
    process.kill()
    process.wait(60)
    end = time.monotonic() + 60
    while os.path.exists(f"/proc/{child}") and "Z" not in state_of(child):
        assert time.monotonic() < end
        time.sleep(0.01)


def state_of(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "Z"


def test_stopping_and_going_on(env: Dict[str, str]) -> None:
    process = start_and_wait(env, "echo ready; echo $$; read x; exec sleep 0.3")
    child = int(process.stdout.readline())
    os.kill(child, signal.SIGSTOP)
    end = time.monotonic() + 60
    while state_of(process.pid) != "T":
        assert time.monotonic() < end
        time.sleep(0.01)
    process.send_signal(signal.SIGCONT)
    assert process.wait(60) == 0


def environment_of(text: str) -> Dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def test_only_these_variables_change(env: Dict[str, str]) -> None:
    plain = environment_of(
        subprocess.run(["env"], env=env, capture_output=True, text=True, check=True).stdout
    )
    for nested in ([], [sys.executable, "-m", "deepxtrace.run"]):
        seen = environment_of(launch(env, *nested, "env").stdout)
        folder, rest = seen["PYTHONPATH"].split(os.pathsep, 1)
        assert rest == env["PYTHONPATH"] and "sitecustomize.py" in os.listdir(folder)
        assert seen["DEEPXTRACE"] == "1"
        different = {k for k in set(plain) | set(seen) if plain.get(k) != seen.get(k)}
        ours = {"DEEPXTRACE", "PYTHONPATH", "DEEPXTRACE_NOTES"}
        assert different - {"_", "SHLVL", "LC_CTYPE"} == ours
        assert not os.path.exists(seen["DEEPXTRACE_NOTES"])
    options = ["--interval", "5", "--output=logs", "--method", "ratio", "--modules", "a,b"]
    env["DEEPXTRACE_INTERVAL"] = "7"
    seen = environment_of(launch(env, "env", options=options).stdout)
    names = ("INTERVAL", "OUTPUT", "METHOD", "MODULES")
    assert [seen["DEEPXTRACE_" + n] for n in names] == [
        "5",
        os.path.join(os.getcwd(), "logs"),
        "ratio",
        "a,b",
    ]
    env["DEEPXTRACE"] = "0"
    off = environment_of(launch(env, "env").stdout)
    assert off["PYTHONPATH"] == env["PYTHONPATH"] and off["DEEPXTRACE"] == "0"
    done = launch(env, sys.executable, "-c", ATTACHED)
    assert done.stdout == "attached False\n"
    del env["PYTHONPATH"], env["DEEPXTRACE"]
    program = f"import sys; sys.path.insert(0, {PACKAGE!r})\nimport deepxtrace.run as r; r.main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "env"], env=env, capture_output=True, text=True, check=True
    )
    assert os.pathsep not in environment_of(done.stdout)["PYTHONPATH"]


def test_bad_usage_is_one_clear_error(env: Dict[str, str]) -> None:
    for arguments, words, status in [
        ([], "no command", 2),
        (["--interval", "x", "true"], "interval='x' must be a number", 2),
        (["--method=guess", "true"], "method='guess' must be one of", 2),
        (["--nonsense", "true"], "--nonsense", 2),
        (["--interval"], "--interval", 2),
        (["no-such-command"], "no-such-command: No such file", 127),
        (["/"], "/: Permission denied", 126),
    ]:
        done = launch(env, *arguments)
        assert done.returncode == status and words in done.stderr and not done.stdout
        assert "Traceback" not in done.stderr
    done = launch({**env, "DEEPXTRACE_INTERVAL": "soon"}, "true")
    assert done.returncode == 2 and "DEEPXTRACE_INTERVAL='soon'" in done.stderr
    done = launch(env, "--help")
    assert done.returncode == 0 and all(len(line) <= 100 for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    "setting", ["DEEPXTRACE_INTERVAL=soon", "DEEPXTRACE_LIBRARY_PATH=/nowhere"]
)
def test_a_failure_of_ours_is_one_line_and_the_program_goes_on(
    env: Dict[str, str], setting: str
) -> None:
    done = launch(env, "env", setting, sys.executable, "-c", ATTACHED)
    assert (done.stdout, done.returncode) == ("attached False\n", 0)
    assert done.stderr.count("\n") == 1 and "DeepXTrace is not attached" in done.stderr
    assert "nothing was diagnosed: DeepXTrace could not be attached: " in done.last


def test_the_manual_has_every_option() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "python-attach.md").read_text()
    for option in run._OPTIONS:
        variable = "DEEPXTRACE_" + option[2:].upper().replace("-", "_")
        assert f"`{option} " in manual and f"`{variable}`" in manual
