#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# campaign.sh [PART…]: what takes too long for every change, in parts of at most 25 minutes; all of them by
# default. A part that went well at this commit is not done again; build/campaign has what each said. Whoever
# interrupts it ends the part that runs; the next call goes on with that one.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

here=$PWD/tests/campaign
deepxtrace=$PWD/build/bin/deepxtrace
results=${DXT_CAMPAIGN_RESULTS:-$PWD/build/campaign}
parts=(allocations allocations-openmpi allocations-mpich limits clocks kills kills-openmpi kills-mpich kills-python
    kills-serve soak-async soak-sync soak-python soak-python-sync replay fuzz)

allocations() { python3 "$here/allocations.py" "$deepxtrace" build/tests/campaign/dxt_fail_alloc.so; }
allocations-mpi() { over "$1" "$here/allocations.py" "$deepxtrace" build/tests/campaign/dxt_fail_alloc.so; }
allocations-openmpi() { allocations-mpi openmpi; }
allocations-mpich() { allocations-mpi mpich; }
limits() { python3 "$here/limits.py" "$deepxtrace"; }
clocks() { python3 "$here/clocks.py" "$deepxtrace" build/tests/campaign/dxt_clock_off.so; }
kills() { python3 "$here/kills.py" "$deepxtrace" "${DXT_CAMPAIGN_KILLS:-500}"; }
kills-mpi() { over "$1" "$here/kills_parts.py" "$deepxtrace" "${DXT_CAMPAIGN_KILLS:-100}"; }
kills-openmpi() { kills-mpi openmpi; }
kills-mpich() { kills-mpi mpich; }
kills-python()
{
    scripts/python.sh numpy,torch -B "$here/kills_parts.py" "$deepxtrace" "${DXT_CAMPAIGN_KILLS:-40}" --python
}
kills-serve()
{
    (
        cd tests/monitor || exit
        DXT_CAMPAIGN_KILLS=${DXT_CAMPAIGN_KILLS:-60} DXT_BUILD_DIR=$PWD/../../build PYTHONDONTWRITEBYTECODE=1 \
            ../../scripts/python.sh pytest,sqlite3 -m pytest -q -p no:cacheprovider -k killed_at_any_moment test_store.py
    )
}
soak() { python3 "$here/soak.py" "$deepxtrace" "${DXT_CAMPAIGN_SECONDS:-1200}" --mode "$1"; }
soak-async() { soak async; }
soak-sync() { soak sync; }
# The waits of these ranks are made up: that they waited for cores says nothing of them.
soak_python()
{
    DEEPXTRACE_RUN_DELAY=0 DEEPXTRACE_LIBRARY_PATH=$PWD/build/lib PYTHONPATH=$PWD/python PYTHONDONTWRITEBYTECODE=1 \
        scripts/python.sh numpy,torch "$here/soak_python.py" "${DXT_CAMPAIGN_SECONDS:-1200}" "$@"
}
soak-python() { soak_python; }
soak-python-sync() { soak_python --sync; }
replay() { python3 -B "$here/replay.py" "$deepxtrace"; }
fuzz() { DXT_FUZZ_SECONDS=${DXT_FUZZ_SECONDS:-60} make --no-print-directory fuzz; }

# A script with all its arguments, over an MPI; 77 if that one is not here.
over()
{
    local mpirun
    mpirun=$(command -v "mpirun.$1") || return "$SKIP"
    python3 -B "${@:2}" --mpirun "$mpirun"
}

# All processes of the part that runs, but not this one.
running=
stop()
{
    trap '' INT TERM HUP
    if [[ $running ]]; then
        kill -TERM -- "-$running" 2> /dev/null
        for ((i = 0; i < 50; i++)); do
            kill -0 -- "-$running" 2> /dev/null || break
            sleep 0.1
        done
        kill -KILL -- "-$running" 2> /dev/null
    fi
    echo "campaign: interrupted; the next call goes on with ${part:-the first part}" >&2
    exit $((128 + $1))
}
trap 'stop 2' INT
trap 'stop 15' TERM
trap 'stop 1' HUP

known()
{
    local part
    for part in "${parts[@]}"; do [[ $part == "$1" ]] && return; done
    echo "campaign: '$1' is not one of ${parts[*]}" >&2
    exit 2
}

(($# > 0)) || set -- "${parts[@]}"
for part; do known "$part"; done
mkdir -p "$results"
# What has been done is done for this source, and with these limits.
commit=$(git describe --always --dirty --abbrev=40 --exclude '*' 2> /dev/null || echo none)
# Sources that git does not know are not of that commit, either.
[[ $commit == *-dirty || -z $(git status --porcelain 2> /dev/null) ]] || commit+=-dirty
well="well at $commit${DXT_CAMPAIGN_KILLS:+, $DXT_CAMPAIGN_KILLS kills}"
well+="${DXT_CAMPAIGN_SECONDS:+, $DXT_CAMPAIGN_SECONDS s}${DXT_FUZZ_SECONDS:+, $DXT_FUZZ_SECONDS s of fuzzing}"
passed=0 failed=0 skipped=0
for part; do
    if [[ $commit != none && $commit != *-dirty ]] && grep -qsFx "$well" "$results/$part"; then
        echo "==== $part: done before"
        continue
    fi
    echo "==== $part"
    # Whoever killed an earlier call left its part behind; two of them would take each other's files.
    exec {lock}> "$results/.$part.lock"
    if ! flock -n "$lock"; then
        echo "campaign: $part is still running; wait for it, or end it: pgrep -af campaign/" >&2
        failed=$((failed + 1))
        continue
    fi
    begin=$SECONDS
    # A process group of its own, which stop() ends.
    set -m
    (
        set +m
        "$part" < /dev/null 2>&1 | (trap '' TERM && exec tee "$results/$part")
        exit "${PIPESTATUS[0]}"
    ) &
    running=$!
    set +m
    wait "$running"
    status=$?
    running=
    exec {lock}>&-
    case $status in
        0)
            passed=$((passed + 1))
            echo "$well" >> "$results/$part"
            ;;
        "$SKIP") skipped=$((skipped + 1)) ;;
        *) failed=$((failed + 1)) ;;
    esac
    echo "==== $part: $((SECONDS - begin)) s"
done
count_line "$passed" "$failed" "$skipped"
((failed == 0))
