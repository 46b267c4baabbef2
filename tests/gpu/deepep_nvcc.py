# SPDX-License-Identifier: Apache-2.0
"""Stands before nvcc for deepep_kernels.py: kernels whose time-out is the first one plus k are compiled
with the k-th folder's headers. All of them at once, since the others are asked for next.

    python3 deepep_nvcc.py SETTINGS.json ARGUMENT...
"""
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        settings = json.load(file)
    given = sys.argv[2:]
    source = next((one for one in given if one.endswith(".cu")), None)
    if source is None:  # --version
        os.execv(settings["nvcc"], [settings["nvcc"], *given])
    target = given[given.index("-o") + 1]

    def command(root, own_source, own_target):
        """That nvcc is called with."""
        made = []
        for one in given:
            if one.startswith("-I") and os.path.isdir(os.path.join(one[2:], "deep_ep")):
                one = "-I" + os.path.join(root, "include")
            made.append({source: own_source, target: own_target}.get(one, one))
        return [settings["nvcc"], *made]

    with open(source, encoding="utf-8") as file:
        text = file.read()
    number = re.compile(r"\b(" + "|".join(
        str(settings["first"] + k) for k in range(len(settings["roots"]))) + r")\b")
    found = number.search(text)
    if found is None:  # no time-out, no barrier
        sys.exit(subprocess.call(command(settings["roots"][0], source, target)))
    name = hashlib.sha256(number.sub("", text).encode()).hexdigest()[:16]
    folder = os.path.join(settings["folder"], name)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(os.path.join(folder, "done")):
            running = []
            for k, root in enumerate(settings["roots"]):
                own = os.path.join(folder, str(k))
                with open(own + ".cu", "w", encoding="utf-8") as file:
                    file.write(number.sub(str(settings["first"] + k), text))
                running.append(subprocess.Popen(command(root, own + ".cu", own + ".cubin")))
            if any([one.wait() != 0 for one in running]):
                sys.exit(1)
            open(os.path.join(folder, "done"), "w", encoding="utf-8").close()
    shutil.copy(os.path.join(folder, f"{int(found[0]) - settings['first']}.cubin"), target)


if __name__ == "__main__":
    main()
