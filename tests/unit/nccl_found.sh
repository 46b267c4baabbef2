#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# nccl_found.sh CMAKE: which NCCL cmake/DxtCuda.cmake takes. Its library is the one that belongs to its
# headers, though the toolkit has another one. Toolkit and NCCL are empty files: nothing is compiled.
set -uo pipefail
cmake=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# nccl FOLDER VERSION LIBRARY: what is there of an NCCL.
nccl()
{
    mkdir -p "$1/include" "$1/lib"
    touch "$1/include/nccl_device.h" "$1/lib/$3"
    printf '#define NCCL_%s\n' "MAJOR ${2%%.*}" "MINOR $(cut -d. -f2 <<< "$2")" "PATCH ${2##*.}" \
        > "$1/include/nccl.h"
}

# look OPTION…: what cmake says that it found.
look()
{
    env -i PATH="$PATH" "$cmake" -DCMAKE_FIND_LIBRARY_PREFIXES=lib "-DCMAKE_FIND_LIBRARY_SUFFIXES=.so;.a" \
        -DDXT_CUDA_ROOT="$work/toolkit" "$@" -P "$DXT_SOURCE_DIR/cmake/DxtCuda.cmake" 2>&1
}

expect()
{
    grep -qF -- "$1" <<< "$said" || { printf 'not said: %s\n%s\n' "$1" "$said"; exit 1; }
}

mkdir -p "$work/toolkit/bin" "$work/toolkit/include"
printf '#!/bin/sh\necho "release 13.0, V13.0.88"\n' > "$work/toolkit/bin/nvcc"
chmod +x "$work/toolkit/bin/nvcc"
touch "$work/toolkit/include/cuda_runtime_api.h"
nccl "$work/toolkit" 2.28.9 libnccl.so
touch "$work/toolkit/lib/libcudart_static.a"

said=$(look)
expect "NCCL 2.28.9 (runs with this version alone): $work/toolkit/lib/libnccl.so"

# A wheel has libnccl.so.2 only.
nccl "$work/old" 2.28.3 libnccl.so.2
said=$(look -DDXT_NCCL_ROOT="$work/old")
expect "NCCL 2.28.3 (runs with this version alone): $work/old/lib/libnccl.so.2"
nccl "$work/new" 2.30.4 libnccl.so.2
said=$(look -DDXT_NCCL_ROOT="$work/new")
expect "NCCL 2.30.4 (runs with this version and later ones): $work/new/lib/libnccl.so.2"
