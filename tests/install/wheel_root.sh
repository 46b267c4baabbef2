#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# wheel_root.sh ROOT WHEEL…: as root, start what wheels hold in a root that debootstrap made: import the
# package, and run the commands that need no GPU. ROOT needs the packages named below, and may be of
# another architecture if binfmt_misc knows qemu (Debian: qemu-user-static). Where its Python is older than
# the package allows, only the command and the library are started. Not a part of `make test`: it needs a root.
#
#     debootstrap --variant=minbase --arch=arm64 \
#         --include=python3,python3-venv,python3-numpy,libmicrohttpd12,libsqlite3-0,libcairo2 bookworm ROOT
set -euo pipefail

fail()
{
    echo "FAILED: $1" >&2
    exit 1
}

# Inside the root.
if [[ ${1:-} == --inside ]]; then
    cd /srv/wheel
    export HOME=$PWD PATH=/usr/bin:/bin LC_ALL=C.UTF-8 XDG_STATE_HOME=$PWD/state
    echo "$(uname -m), $(getconf GNU_LIBC_VERSION), $(python3 --version)"
    if python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))'; then
        python3 -m venv --system-site-packages venv
        PATH=$PWD/venv/bin:$PATH
        pip install -q --no-index --no-deps ./*.whl || fail "pip install"
        cat > whole.py << 'END'
import sys
import deepxtrace
recording = deepxtrace.read(sys.argv[1])
judged = recording.analyze()
named = {finding.rank for window in judged for finding in window.findings}
assert named == {2}, named
recording[0].heatmap("python.svg")
END
    else
        echo "the package needs a newer Python; the command and the library only"
        for wheel in ./*.whl; do python3 -m zipfile -e "$wheel" unpacked; done
        chmod +x unpacked/deepxtrace/bin/deepxtrace
        PATH=$PWD/unpacked/deepxtrace/bin:$PATH
        cat > whole.py << 'END'
import ctypes
library = ctypes.CDLL("unpacked/deepxtrace/lib/libdeepxtrace.so.0")
library.dxt_version.restype = ctypes.c_char_p
assert library.dxt_version()
END
    fi
    deepxtrace --version || fail "--version"
    deepxtrace info || fail "info"
    deepxtrace simulate -n 8 --windows 4 --slow dispatch:2:60us -o waits.jsonl || fail "simulate"
    deepxtrace analyze --summary-only waits.jsonl > summary || fail "analyze"
    cat summary
    grep -q 'rank 2 late in dispatch' summary || fail "analyze names another"
    python3 whole.py waits.jsonl || fail "the library, from Python"
    for ending in svg png html; do deepxtrace heatmap waits.jsonl -o "waits.$ending" || fail "heatmap"; done
    deepxtrace report waits.jsonl -o incident.html || fail "report"
    deepxtrace analyze incident.html > /dev/null || fail "analyze of a report"
    deepxtrace job --ranks 2 --steps 40 --window 10 --slow dispatch:1:60ms --json > job.json || fail "job"
    grep -q '"kind":"late_rank","rank":1' job.json || fail "job names another: $(cat job.json)"
    deepxtrace serve --once waits.jsonl || fail "serve"
    echo "wheels started: $(uname -m), $(getconf GNU_LIBC_VERSION)"
    exit
fi

root=${1:?usage: wheel_root.sh ROOT WHEEL...}
shift
(($# > 0)) || fail "no wheel is given"
chroot "$root" /bin/true ||
    fail "programs of $root cannot be started: is it complete, is qemu-user-static installed, binfmt_misc mounted?"
rm -rf "$root/srv/wheel"
mkdir -p "$root/srv/wheel"
cp "$@" "$root/srv/wheel"
cp "${BASH_SOURCE[0]}" "$root/srv/wheel/inside.sh"
# In mounts of its own, which end with it.
# shellcheck disable=SC2016 # the inner shell expands them
exec unshare --mount --fork sh -ec '
    mount -t proc proc "$1/proc"
    mkdir -p "$1/dev/shm"
    mount -t tmpfs shm "$1/dev/shm"
    exec chroot "$1" bash /srv/wheel/inside.sh --inside' sh "$(realpath "$root")"
