#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# nvcc.sh SOURCE [NVCC]: compile a CUDA source that includes probe.cuh, with the probe and without
# it, as its users may: no warning, and with it no local memory, which would be slow. Runs nothing.
set -uo pipefail
source=$1
nvcc=${2:-}
[[ -x $nvcc ]] || nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
[[ -x $nvcc ]] || { echo "nvcc is not here" && exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for option in -DDXT_PROBE_ENABLED -DDXT_PROBE_DISABLE; do
    "$nvcc" -std=c++17 -arch=sm_90 -cubin -Xcompiler=-Wall,-Wextra -Xptxas=-v "$option" \
        -I "$DXT_SOURCE_DIR/include" -o "$work/out.cubin" "$source" >"$work/said" 2>&1 ||
        { cat "$work/said"; echo "$option: does not compile"; exit 1; }
    grep -i 'warning' "$work/said" && exit 1
    grep -qE ' 0 bytes stack frame, 0 bytes spill' "$work/said" ||
        { cat "$work/said"; echo "$option: local memory"; exit 1; }
done
