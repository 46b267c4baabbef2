#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# secure_env.sh PROGRAM PART: a program with raised privileges (here: set-user-id) takes no parts, and no
# other setting of ours, from whoever starts it; any other program does. Needs root, and a file system on
# which set-user-id counts.
set -uo pipefail
program=$1 part=$2
((EUID == 0)) || exit 77
work=$(mktemp -d "${TMPDIR:-/tmp}/dxt-secure-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cp "$program" "$work/program" && cp "$part" "$work/libdeepxtrace-test.so.0" || exit 1

# says WORDS: what the program has to print.
says()
{
    local said
    said=$(env -u OMPI_COMM_WORLD_SIZE -u PMI_RANK -u PMI_FD -u PMIX_RANK \
        DEEPXTRACE_PARTS="$work" DEEPXTRACE_MPI=mpich "$work/program")
    [[ $said == "$1" ]] && return
    # Where set-user-id does not count there is nothing to see.
    [[ $1 == secure* && $said == plain* ]] && exit 77
    echo "secure_env.sh: the program said '$said', not '$1'"
    exit 1
}

says "plain 42 mpich"
chown 65534 "$work/program" && chmod 4755 "$work/program" || exit 77
says "secure none none"
