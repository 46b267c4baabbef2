#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The walk of a stranger: README's own commands, from a fresh clone to the live page of a toy server.

    walk.py FOLDER           on this machine, with an empty home
    walk.py FOLDER CHROOT    in a root that `debootstrap --variant=minbase bookworm CHROOT` made; as root

FOLDER must not exist, or be empty; it receives the pages as they were seen (if chromium is installed)
and the output of each command. The commands are those of README's section "Your server", but for
SGLang's; there may be five at most, with the one that gets the source. In a new root the packages are
installed first that a reader is told to have: git, python3-venv, python3-torch. Not a part of `make
test`: it compiles everything, and takes minutes.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = "http://127.0.0.1:8899"
MOST_COMMANDS = 5
# What a machine has and a folder has not: without /proc the loader does not find libraries beside a
# program. The mounts end with the command.
IN_A_ROOT = ["unshare", "--mount", "sh", "-ec",
             'mount -t proc proc "$0/proc"; mkdir -p "$0/dev/shm"; mount -t tmpfs shm "$0/dev/shm"; exec chroot "$0" "$@"']


def commands_of_readme():
    """The lines of the blocks of the section, without comments."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## Your server\n")[1].split("\n## ")[0]
    blocks = re.findall(r"(<!-- not run[^\n]*\n)?```sh\n(.*?)```", section, re.S)
    lines = [line for mark, block in blocks if not mark for line in block.splitlines()]
    return [re.sub(r"\s+# .*", "", line) for line in lines if "simulate" not in line]


class Machine:
    """Where the commands are typed: one shell after another, which inherit what was exported."""

    def __init__(self, folder, chroot):
        self.folder, self.chroot, self.number = folder, chroot, 0
        self.place = "/srv/walk" if chroot else str(folder / "home")
        outside = chroot / "srv/walk" if chroot else folder / "home"
        if chroot and outside.exists():
            shutil.rmtree(outside)  # of the walk before
        outside.mkdir(parents=True)
        self.environment = {"HOME": self.place, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
                            "DEBIAN_FRONTEND": "noninteractive"}

    def start(self, command, where=""):
        self.number += 1
        script = (f"cd {self.place}/{where} && if [ -f {self.place}/exports ]; then . {self.place}/exports; fi\n"
                  f"{command}\nstatus=$?\nexport -p > {self.place}/exports\nexit $status")
        words = [*([*IN_A_ROOT, self.chroot] if self.chroot else []), "bash", "-c", script]
        log = open(self.folder / f"{self.number}.log", "wb")
        return subprocess.Popen(words, env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                                stderr=subprocess.STDOUT, start_new_session=True)

    def do(self, command, where="", counted=True):
        began = time.monotonic()
        status = self.start(command, where).wait()
        print(f"{time.monotonic() - began:6.0f} s  {command if counted else '(' + command + ')'}", flush=True)
        if status:
            raise SystemExit(f"exit status {status}: see {self.folder}/{self.number}.log")


def get(path):
    with urllib.request.urlopen(PAGE + path, timeout=30) as answer:
        return answer.read().decode()


def until(what, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = what()
        except OSError:
            found = None
        if found:
            return found
        time.sleep(0.5)
    raise SystemExit("the page did not show it in time")


def photograph(folder, name):
    """The page as Chromium shows it, drawn to the end."""
    os.environ.setdefault("DXT_BUILD_DIR", str(ROOT / "build"))
    sys.path.insert(0, str(ROOT / "tests" / "browser"))
    import browser  # the tests' own driver
    if browser.missing():
        print(f"          {browser.missing()} is not installed; no picture")
        return
    window = browser.Browser(folder)
    try:
        window.go(PAGE + "/")
        window.until("document.querySelectorAll('canvas').length > 0")
        window.screenshot(folder / name)
    finally:
        window.close()
    print(f"          {folder / name}")


def named():
    """Ranks that the page has incidents of."""
    incidents = json.loads(get("/api/v1/incidents"))["incidents"]
    return {(i["operator"], i["rank"]) for i in incidents} & {("dispatch", 2), ("combine", 3)}


def walk(folder, chroot):
    machine = Machine(folder, chroot)
    lines = commands_of_readme()
    server = next(i for i, line in enumerate(lines) if "deepxtrace run" in line)
    if server + 2 + 1 > MOST_COMMANDS:
        raise SystemExit(f"{server + 3} commands to the page; {MOST_COMMANDS} are the most")
    if chroot:
        machine.do("apt-get update && apt-get install -y git make python3-venv python3-torch", counted=False)
    origin = ROOT
    if chroot:
        subprocess.run(["git", "clone", "-q", "--bare", ROOT, chroot / "srv/walk/origin.git"], check=True)
        origin = machine.place + "/origin.git"
    began = time.monotonic()
    machine.do(f"git clone -q {origin} deepxtrace")
    for line in lines[:server]:
        machine.do(line, "deepxtrace")
    toy = machine.start("mkdir -p logs; STEPS=20000 " + lines[server], "deepxtrace")
    page = machine.start(lines[server + 1], "deepxtrace")
    try:
        until(lambda: "ok" in get("/healthz"), 120)
        until(lambda: json.loads(get("/api/v1/groups"))["groups"], 300)
        print(f"{time.monotonic() - began:6.0f} s  from the clone to the live page of the running server")
        until(lambda: len(named()) == 2 or toy.poll() is not None and named(), 300)
        print(f"{time.monotonic() - began:6.0f} s  until it names {sorted(named())}")
        photograph(folder, "live.png")
    finally:
        ended = time.monotonic()
        for process in (toy, page):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
            process.wait()
        print(f"{time.monotonic() - ended:6.0f} s  until Ctrl-C had ended both")
    machine.do(lines[server + 2], "deepxtrace")
    print((folder / f"{machine.number}.log").read_text(), end="")


def main():
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    walk(folder, Path(sys.argv[2]).resolve() if len(sys.argv) == 3 else None)


if __name__ == "__main__":
    main()
