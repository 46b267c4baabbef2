#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# launch.sh MPI MPIRUN RANKS PROGRAM…: run a test program on so many ranks.
# shellcheck source=tests/mpi/common.sh
. "$(dirname "$0")/common.sh"
launch "$@"
