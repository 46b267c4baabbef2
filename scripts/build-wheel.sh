#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build-wheel.sh [--portable MACHINE]…: Python wheels into build/dist/. Without an argument: of what is in
# build/, for this machine; the platform tag names the glibc that the machine code in it really needs.
# With --portable x86_64 or aarch64: for every glibc from 2.28 on (scripts/portable.sh), judged by
# auditwheel. Two wheels each: deepxtrace, and deepxtrace_parts with what needs an MPI or CUDA, which is
# found beside the libraries of the first. The same source makes the same bytes.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

dist=$PWD/build/dist
version=$(sed -nE 's/^project\(deepxtrace VERSION ([0-9.]+) .*/\1/p' CMakeLists.txt)
SOURCE_DATE_EPOCH=$(source_date)
export SOURCE_DATE_EPOCH

# The newest glibc that the files of a folder need, e.g. 2.36.
glibc_of()
{
    find "$1" -type f \( -name 'libdeepxtrace*' -o -path '*/bin/deepxtrace' \) -exec readelf -W --dyn-syms {} + |
        grep -oE '@GLIBC_2\.[0-9]+' | sort -uV | tail -n 1 | sed 's/@GLIBC_//'
}

# pack FOLDER PLATFORM: make the wheel of a folder with a pyproject.toml.
pack()
{
    (
        cd "$1"
        export DXT_WHEEL_PLATFORM=$2
        "$OLDPWD/scripts/python.sh" setuptools,wheel -c '
import sys
from setuptools import build_meta
build_meta.build_wheel(sys.argv[1])' "$dist" > build.log 2>&1
    ) || {
        cat "$1/build.log" >&2
        return 1
    }
}

# What a wheel carries of others, and under which terms.
notices()
{
    local notice=$2/usr/share/doc/libjansson4/copyright
    [[ -f $notice ]] || notice=$2/usr/share/doc/libjansson-dev/copyright
    {
        echo "deepxtrace is under the Apache License 2.0 (LICENSE). This package holds besides:"
        echo
        echo "jansson, the JSON library of the command ($3):"
        echo
        cat "$notice"
    } > "$1/NOTICES"
}

# stage TREE ROOT FOLDER: lay the two packages out in FOLDER/main and FOLDER/parts.
stage()
{
    local tree=$1 root=$2 package=$3/main/deepxtrace parts=$3/parts/deepxtrace library jansson
    rm -rf "$3"
    mkdir -p "$3/main" "$parts/lib"
    DESTDIR=$3/install cmake --install "$tree" --prefix / "${strip[@]}" > /dev/null
    cp -r python/. README.md LICENSE "$3/main"
    find "$3/main" -name __pycache__ -prune -exec rm -r {} +
    cp -r "$3/install/include" "$package"
    mkdir "$package/bin" "$package/lib"
    cp "$3/install/bin/deepxtrace" "$package/bin"
    # A wheel has no symbolic links.
    for library in "$3"/install/lib/libdeepxtrace*.so.0; do
        case $library in
        *-mpi-* | *-cuda.*) cp -L "$library" "$parts/lib" ;;
        *) cp -L "$library" "$package/lib" ;;
        esac
    done
    # A machine that installs a wheel need not have the command's JSON library.
    jansson=''
    if [[ $root == / ]]; then
        jansson=$(ldd "$package/bin/deepxtrace" | awk '$1 ~ /^libjansson/ { print $3 }')
    fi
    if [[ -n $jansson ]]; then
        cp -L "$jansson" "$package/lib"
        notices "$package" "$root" "lib/${jansson##*/}"
    else
        notices "$package" "$root" "linked into bin/deepxtrace"
    fi
    echo "$version" > "$3/main/VERSION"
    cp python/parts/pyproject.toml python/setup.py LICENSE "$3/parts"
    echo "$version" > "$3/parts/VERSION"
    rm -rf "$3/install" "$3/main/parts"
}

# wheels STAGE MACHINE: pack what was staged.
wheels()
{
    local kind glibc
    for kind in main parts; do
        glibc=$(glibc_of "$1/$kind")
        if [[ -z $glibc ]]; then continue; fi # no MPI and no CUDA
        glibc=$(printf '%s\n%s\n' "$glibc" "${floor:-2.17}" | sort -V | tail -n 1)
        pack "$1/$kind" "manylinux_${glibc/./_}_$2"
    done
}

# What a wheel takes from the system, or from the other wheel, and does without where it is not there.
taken=(libdeepxtrace-ep.so.0 libmicrohttpd.so.12 libsqlite3.so.0 libcairo.so.2 libmpi.so.40 libmpich.so.12 libnccl.so.2
    libz.so.1)
judge()
{
    local wheel
    for wheel in "$dist"/deepxtrace*"$1".whl; do
        echo "== auditwheel: ${wheel##*/}"
        rm -rf build/portable/judged
        PATH=$PWD/build/portable/venv/bin:$PATH auditwheel repair --plat auto "${taken[@]/#/--exclude=}" \
            -w build/portable/judged "$wheel" 2>&1 | tail -n 1
        if ! compgen -G "build/portable/judged/*manylinux_${floor/./_}_$1*.whl" > /dev/null; then
            echo "auditwheel does not take ${wheel##*/} as manylinux_${floor/./_}_$1" >&2
            return 1
        fi
    done
}

mkdir -p "$dist"
if (($# == 0)); then
    tree=build strip=(--strip)
    if ! grep -qx 'CMAKE_INSTALL_LIBDIR:PATH=lib' build/CMakeCache.txt; then
        # The command looks for its libraries where this system installs them, which is not lib/.
        tree=build/wheel-tree
        cmake --preset release -B "$tree" -DCMAKE_INSTALL_LIBDIR=lib > /dev/null
        cmake --build "$tree" > /dev/null
    fi
    rm -f "$dist"/*.whl
    stage "$tree" / "$PWD/build/wheel"
    wheels "$PWD/build/wheel" "$(uname -m)"
    ls "$dist"/*.whl
    exit
fi
floor=2.28 strip=()
while (($# >= 2)) && [[ $1 == --portable ]]; do
    scripts/portable.sh "$2" > "build/portable-$2.log" 2>&1 || {
        tail -n 40 "build/portable-$2.log" >&2
        exit 1
    }
    rm -f "$dist"/*"$2".whl
    stage "build/portable/$2/tree" "$PWD/build/portable/$2/root" "$PWD/build/portable/$2/wheel"
    wheels "$PWD/build/portable/$2/wheel" "$2"
    judge "$2"
    shift 2
done
ls "$dist"/*.whl
