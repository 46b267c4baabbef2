# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Helpers of the tests in this folder. Each is given which MPI ("openmpi", "mpich"), and where its
# mpirun is, as $1 and $2.
set -u
mpi=$1
mpirun=$2
shift 2
# Exit status of a test that cannot run here.
export SKIP=77

scratch=$(mktemp -d)
finish() { rm -rf "$scratch"; }
trap finish EXIT

fail()
{
    echo "FAILED: $*" >&2
    for file in "$scratch"/out "$scratch"/err; do
        [[ -f $file ]] && { echo "--- $(basename "$file")"; tail -n 20 "$file"; } >&2
    done
    exit 1
}

skip()
{
    echo "skipped: $*"
    exit "$SKIP"
}

# Options of mpirun that a machine with few processors, a container and a test need.
options=()
if [[ $mpi == openmpi ]]; then
    options=(--oversubscribe)
    if (($(id -u) == 0)); then options+=(--allow-run-as-root); fi
fi

# launch RANKS PROGRAM…
launch()
{
    local ranks=$1
    shift
    "$mpirun" "${options[@]}" -n "$ranks" "$@"
}
