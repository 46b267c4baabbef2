#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commands of README.md, docs/*.md and the man pages, as they stand there.

    docs_commands.py --static BUILD          they name what there is: commands, options, files, targets
    docs_commands.py --run BUILD [FILE…]     they run, on a copy of the source tree in a scratch folder
    docs_commands.py --quick BUILD           of these, the pages whose commands are quick on any machine
    docs_commands.py --list                  every block, and why one is not run

README.zh.md has the headings, links, items and code of README.md, in their order.

A block of commands is a fence marked sh, or an indented block (in man pages one in .nf or .EX) whose
first word is a command. One that cannot run everywhere has a mark before it, with the reason:

    <!-- not run: needs two GPUs -->         in a man page:  .\\" not run: needs two GPUs
    <!-- output -->                          for what only looks like commands

Blocks of a file run in its order, each from the root of the copy, with what those before it have made
and exported. A line whose comment names Ctrl-C runs beside those after it. Where a command
(mpirun, jq, torchrun) is not installed, its blocks are skipped, and that is said.
"""
from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = ["README.md", "CONTRIBUTING.md", "docs/*.md", "docs/man/*.1"]
# Their commands take files that are given, a second or two, and neither the network nor other ranks.
QUICK = [f"docs/man/deepxtrace-{name}.1" for name in ("analyze", "compare", "heatmap", "info",
                                                      "report", "simulate", "top")]
COMMANDS = set("cat cd cmake mkdir cp rm ctest curl deepxtrace deepxtrace-run diff export git kubectl make man "
               "mpicc mpirun ninja pip python3 sed srun ssh sudo time torchrun vllm zcat cc mpirun.mpich mpirun.openmpi".split())
OPTIONAL = {"mpirun", "mpirun.mpich", "mpicc", "jq", "torchrun", "curl", "man", "pkg-config", "kubectl"}
MARK = re.compile(r'^\s*(?:<!--|\.\\")\s*(not run: *(?P<why>.*?)|output)\s*(?:-->)?$')
BLOCK_SECONDS = 1800


@dataclass
class Block:
    file: str
    line: int  # of its first command
    text: str
    why: str | None  # not run, because

    @property
    def name(self) -> str:
        return f"{self.file}:{self.line}"


def is_command(line: str) -> bool:
    words = line.split("#")[0].split()
    while words and re.match(r"^[A-Z_]+=", words[0]):
        words.pop(0)
    if not words:
        return False
    word = words[0]
    return word in COMMANDS or ("/" in word and re.match(r"^(build|bench|scripts|tests|\.)/", word)
                                is not None)


def dedent(lines: list[str]) -> str:
    margin = min((len(x) - len(x.lstrip()) for x in lines if x.strip()), default=0)
    return "\n".join(x[margin:] for x in lines).rstrip() + "\n"


def markdown_blocks(lines: list[str]) -> list[tuple[int, list[str], str, str]]:
    """(line, lines, language, the line before) of each fence and each indented block."""
    blocks = []
    before, at = "", 0
    while at < len(lines):
        fence = re.match(r"^\s*```(\w*)", lines[at])
        if fence:
            end = next((i for i in range(at + 1, len(lines)) if lines[i].strip() == "```"), len(lines))
            blocks.append((at + 2, lines[at + 1:end], fence[1] or "text", before))
            at, before = end + 1, ""
        elif lines[at].startswith("    ") and (at == 0 or not lines[at - 1].strip()):
            end = at
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            blocks.append((at + 1, lines[at:end], "", before))
            at, before = end, ""
        else:
            if lines[at].strip():
                before = lines[at]
            at += 1
    return blocks


def man_blocks(lines: list[str]) -> list[tuple[int, list[str], str, str]]:
    blocks = []
    for at, line in enumerate(lines):
        if re.match(r"^\.(nf|EX)", line):
            end = next(i for i in range(at, len(lines)) if re.match(r"^\.(fi|EE)", lines[i]))
            text = [re.sub(r"\\f[BIRP]|\\&", "", x) for x in lines[at + 1:end]]
            text = [x.replace("\\-", "-").replace("\\e", "\\") for x in text]
            blocks.append((at + 2, text, "", lines[at - 1] if at else ""))
    return blocks


def blocks_of(file: str) -> list[Block]:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    found = []
    for line, text, language, before in (man_blocks if file.endswith(".1") else markdown_blocks)(lines):
        mark = MARK.match(before)
        why = mark["why"] if mark else None
        if mark and why is None:
            continue  # output
        first = next((x for x in text if x.strip()), "")
        if language in ("sh", "bash") or (language == "" and is_command(first)):
            found.append(Block(file, line, dedent(text), why))
        elif why is not None:
            raise SystemExit(f"{file}:{line - 1}: a mark before what is no block of commands")
        elif language in ("", "text") and any(is_command(x) for x in text):
            raise SystemExit(f"{file}:{line}: commands and other text in one block; part them, or "
                             "mark what only looks like commands")
    return found


def all_files(chosen: list[str]) -> list[str]:
    names = chosen or FILES
    return [str(p.relative_to(ROOT)) for name in names for p in sorted(ROOT.glob(name))]


# ---- what can be said without running anything ----

class Names:
    """Commands, options and targets that there are."""

    def __init__(self, build: Path):
        self.command = build / "bin" / "deepxtrace"
        self.options: dict[str, set[str]] = {}
        top = self.help("--help")
        self.commands = set(re.findall(r"^  ([a-z]+)  +", top, re.M)) | {"help"}
        makefile = (ROOT / "Makefile").read_text()
        self.targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.M))

    def help(self, *words: str) -> str:
        done = subprocess.run([self.command, *words], capture_output=True, text=True, check=True)
        return done.stdout

    def options_of(self, command: str) -> set[str]:
        if command not in self.options:
            text = self.help(command, "--help")
            self.options[command] = set(re.findall(r"(?<![\w-])(-{1,2}[a-zA-Z][a-z0-9-]*)", text))
        return self.options[command]


def simple_commands(text: str) -> list[list[str]]:
    """The words of each simple command, roughly: what is quoted stays one word."""
    text = re.sub(r"\\\n", " ", text)
    found = []
    for line in text.splitlines():
        line = re.sub(r"(^|\s)#.*", "", line)
        for part in re.split(r"\|\|?|&&|;|\$\(|\)", re.sub(r"'[^']*'|\"[^\"]*\"", "QUOTED", line)):
            words = part.split()
            while words and (re.match(r"^[A-Z_]+=", words[0]) or words[0] in ("time", "sudo")):
                words.pop(0)
            if words:
                found.append(words)
    return found


def own_command(words: list[str]) -> list[str]:
    """What follows deepxtrace in a command that runs it, be it by mpirun."""
    for at, word in enumerate(words):
        if word in ("deepxtrace", "build/bin/deepxtrace") and (
                at == 0 or words[0] in ("mpirun", "srun", "kubectl")):
            return words[at + 1:]
    return []


def mistakes(block: Block, names: Names) -> list[str]:
    wrong = []
    parsed = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True)
    if parsed.returncode:
        wrong.append("not a command for bash: " + parsed.stderr.strip().split("\n")[0])
    for words in simple_commands(block.text):
        rest = own_command(words)
        if rest and rest[0] not in ("-V", "--version", "--help"):
            if rest[0] not in names.commands:
                wrong.append(f"there is no command 'deepxtrace {rest[0]}'")
                continue
            there = names.options_of(rest[0])
            for word in rest[1:]:
                if rest[0] == "run" and not word.startswith("-") and not word[:1].isdigit() \
                        and word in COMMANDS:
                    break  # the command that it runs
                option = word.split("=")[0]
                if re.match(r"^--?[a-zA-Z]", word) and option not in there:
                    wrong.append(f"'deepxtrace {rest[0]}' has no option {option}")
        if words[0] == "make":
            for word in words[1:]:
                if re.match(r"^[a-z]", word) and word not in names.targets:
                    wrong.append(f"there is no target '{word}'")
        for word in words:
            if re.match(r"^(bench|scripts|tests|docs)/[\w./-]+$|examples/.*\.(c|py|sh)$", word) and not (
                    ROOT / word).exists():
                wrong.append(f"{word} is not there")
    return [f"{block.name}: {what}" for what in wrong]


def static(build: Path) -> int:
    names = Names(build)
    wrong = [what for file in all_files([]) for block in blocks_of(file)
             for what in mistakes(block, names)] + out_of_step("README.md", "README.zh.md")
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


# ---- a translation ----

def skeleton(file: str) -> list[tuple[int, str]]:
    """(line, what a translation has to share): levels of headings, items, links, code without comments."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    found, inside = [], {}
    for at, text, language, _ in markdown_blocks(lines):
        for offset, line in enumerate(text):
            code = line if language not in ("", "sh") else re.sub(r"\s+# .*", "", line)
            inside[at + offset] = code.rstrip()
    for number, line in enumerate(lines, 1):
        if number in inside:
            found.append((number, inside[number]))
            continue
        heading, item = re.match(r"^#+", line), re.match(r"^(\d+\.|[-*|]) ", line)
        found += [(number, part[0]) for part in (heading, item) if part]
        found += [(number, link) for link in re.findall(r"\]\(([^)]+)\)", line)]
        found += [(number, line)] if line.startswith(("<!--", "```")) else []
    same = {"README.md": "README", "README.zh.md": "README"}  # each links to the other
    return [(number, same.get(what, what)) for number, what in found if what]


def out_of_step(one: str, other: str) -> list[str]:
    a, b = skeleton(one), skeleton(other)
    for (line, what), (line_b, what_b) in zip(a, b):
        if what != what_b:
            return [f"{other}:{line_b}: has '{what_b}' where {one}:{line} has '{what}'"]
    return [] if len(a) == len(b) else [f"{other}: {len(b)} headings, links, items and lines of code; "
                                        f"{one} has {len(a)}"]


# ---- running them ----

def copy_tree(target: Path) -> None:
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others",
                             "--exclude-standard"], capture_output=True)
    if listed.returncode:  # an unpacked archive
        shutil.copytree(ROOT, target, symlinks=True,
                        ignore=lambda folder, names: [n for n in names if Path(folder) == ROOT
                                                      and re.match(r"build|\.git$", n)])
        return
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


# What the reader of a man page has already: names that its examples take, by what makes them here.
GIVEN = """
sim() { deepxtrace simulate -n 8 --windows 12 "$@"; }
sim --from 4 --slow dispatch:2:60us > recording.jsonl
sim > monday.jsonl; sim --slow combine:1:60us > tuesday.jsonl
cp monday.jsonl baseline.jsonl
mkdir -p canary logs
cp monday.jsonl canary/; cp recording.jsonl logs/diagnose_rank0.jsonl
"""


def shell(script: str, folder: Path, environment: dict[str, str], seconds: int) -> tuple[int, str]:
    """Exit status and output of a script; everything it started is ended with it."""
    with subprocess.Popen(["bash", "-c", script], cwd=folder, env=environment, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, start_new_session=True,
                          errors="replace") as process:
        try:
            said, _ = process.communicate(timeout=seconds)
            return process.returncode, said
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            said, _ = process.communicate()
            return 124, said + f"\nnot over after {seconds} s\n"


def script_of(block: Block, state: Path) -> str:
    lines = ["set -eo pipefail", f"if [ -f '{state}' ]; then . '{state}'; fi", "beside=''"]
    text, whole = re.sub(r"\\\n\s*", " ", block.text), []
    for line in text.splitlines():
        if re.search(r"#.*Ctrl-C", line):
            whole.append(re.sub(r"\s+#.*", "", line) + " & beside=\"$beside $!\"; sleep 3")
        else:
            whole.append(line)
    lines += whole
    lines += ["for job in $beside; do kill -TERM $job; wait $job; done", f"export -p > '{state}'"]
    return "\n".join(lines) + "\n"


def lacking(block: Block) -> str | None:
    for words in simple_commands(block.text):
        if words[0] in OPTIONAL and not shutil.which(words[0]):
            return f"{words[0]} is not installed"
    return None


class Runner:
    def __init__(self, folder: Path, build: Path, whole: bool):
        self.folder, self.tree = folder, folder / "tree"
        self.passed = self.failed = self.skipped = 0
        self.environment = {k: v for k, v in os.environ.items()
                            if not k.startswith(("DEEPXTRACE", "DEEPEP", "PYTHON", "MAKE"))}
        self.environment.update(HOME=str(folder / "home"), TMPDIR=str(folder), TERM="dumb",
                                XDG_STATE_HOME=str(folder / "home"))
        (folder / "home").mkdir()
        path = [str(self.tree / "build" / "bin"), self.environment["PATH"]]
        if whole:
            copy_tree(self.tree)
            path.insert(0, str(self.python()))
            self.environment["PATH"] = ":".join(path)
            self.make("make build")
        else:
            self.tree.mkdir()
            (self.tree / "build").symlink_to(build)
            self.environment["PATH"] = ":".join(path)

    def python(self) -> Path:
        """An environment of Python's own, as a reader has it, that sees NumPy and torch if the system has them."""
        base = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable
        subprocess.run([base, "-m", "venv", "--system-site-packages", self.folder / "python"],
                       check=True)
        return self.folder / "python" / "bin"

    def make(self, command: str) -> None:
        status, said = shell(command, self.tree, self.environment, 3600)
        if status:
            raise SystemExit(f"{said[-3000:]}\n{command} failed")

    def made(self) -> set[Path]:
        """What lies in the tree, but for folders of builds."""
        found = set()
        for top in self.tree.iterdir():
            if not top.name.startswith("build"):
                found |= {top, *(top.rglob("*") if top.is_dir() else ())}
        return found

    def file(self, name: str) -> None:
        """Run a document's blocks, in the tree as it was before those of the others."""
        there = self.made()
        self.blocks(name)
        for path in sorted(self.made() - there, reverse=True):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()

    def blocks(self, name: str) -> None:
        state = self.folder / "exports"
        state.unlink(missing_ok=True)
        if name.endswith(".1"):
            self.make(GIVEN)
        for block in blocks_of(name):
            why = block.why or lacking(block)
            if why:
                self.skipped += 1
                print(f"skipped {block.name}: {why}", flush=True)
                continue
            began = time.monotonic()
            status, said = shell(script_of(block, state), self.tree, self.environment,
                                 BLOCK_SECONDS)
            took = f"{time.monotonic() - began:.0f} s"
            if status:
                self.failed += 1
                print(f"FAILED  {block.name}: exit status {status}, {took}\n{block.text}"
                      f"{said[-2000:]}", flush=True)
            else:
                self.passed += 1
                print(f"ok      {block.name}: {took}", flush=True)


def run(build: Path, chosen: list[str], whole: bool) -> int:
    with tempfile.TemporaryDirectory(prefix="dxt-docs-") as folder:
        runner = Runner(Path(folder), build, whole)
        for name in all_files(chosen):
            runner.file(name)
        print(f"{runner.passed} passed, {runner.failed} failed, {runner.skipped} skipped")
        return 1 if runner.failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Commands of the documents, as they stand there.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--static", metavar="BUILD", type=Path)
    what.add_argument("--quick", metavar="BUILD", type=Path)
    what.add_argument("--run", metavar="BUILD", type=Path)
    what.add_argument("--list", action="store_true")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    if arguments.static:
        return static(arguments.static.resolve())
    if arguments.quick:
        return run(arguments.quick.resolve(), QUICK, False)
    if arguments.run:
        return run(arguments.run.resolve(), arguments.files, True)
    for file in all_files(arguments.files):
        for block in blocks_of(file):
            print(f"{block.name}: " + (f"not run: {block.why}" if block.why else "runs"))
            print("".join(f"    {x}\n" for x in block.text.splitlines()), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
