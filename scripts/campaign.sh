#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# campaign.sh [PART…]: what takes too long for every change, in parts of at most 25 minutes; all of them by
# default. A part that went well at this commit is not done again; build/campaign has what each said.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

here=$PWD/tests/campaign
deepxtrace=$PWD/build/bin/deepxtrace
results=$PWD/build/campaign
parts=(allocations allocations-mpi limits clocks kills kills-mpi kills-python soak-async soak-sync
    soak-python soak-python-sync fuzz)

allocations() { python3 "$here/allocations.py" "$deepxtrace" build/tests/campaign/dxt_fail_alloc.so; }
allocations-mpi() { for_each_mpi "$here/allocations.py" "$deepxtrace" build/tests/campaign/dxt_fail_alloc.so; }
limits() { python3 "$here/limits.py" "$deepxtrace"; }
clocks() { python3 "$here/clocks.py" "$deepxtrace" build/tests/campaign/dxt_clock_off.so; }
kills() { python3 "$here/kills.py" "$deepxtrace" "${DXT_CAMPAIGN_KILLS:-500}"; }
kills-mpi() { for_each_mpi "$here/kills_parts.py" "$deepxtrace" "${DXT_CAMPAIGN_KILLS:-100}"; }
kills-python()
{
    scripts/python.sh numpy,torch -B "$here/kills_parts.py" "$deepxtrace" "${DXT_CAMPAIGN_KILLS:-40}" --python
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
fuzz() { DXT_FUZZ_SECONDS=${DXT_FUZZ_SECONDS:-60} make --no-print-directory fuzz; }

# A script with all its arguments, once for each MPI there is.
for_each_mpi()
{
    local mpi status=0
    for mpi in mpirun.openmpi mpirun.mpich; do
        command -v "$mpi" > /dev/null || continue
        python3 -B "$@" --mpirun "$(command -v "$mpi")" || status=1
    done
    return "$status"
}

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
commit=$(git rev-parse HEAD 2> /dev/null || echo none)
passed=0 failed=0
for part; do
    if grep -qsx "well at $commit" "$results/$part"; then
        echo "==== $part: done before"
        continue
    fi
    echo "==== $part"
    begin=$SECONDS
    "$part" 2>&1 | tee "$results/$part"
    if ((PIPESTATUS[0] == 0)); then
        passed=$((passed + 1))
        echo "well at $commit" >> "$results/$part"
    else
        failed=$((failed + 1))
    fi
    echo "==== $part: $((SECONDS - begin)) s"
done
count_line "$passed" "$failed"
((failed == 0))
