#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build-wheel.sh: the Python wheel of what is in build/, into build/dist/. Its platform tag names the
# glibc that the machine code in it really needs.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

tree=build
if ! grep -qx 'CMAKE_INSTALL_LIBDIR:PATH=lib' build/CMakeCache.txt; then
    # The command looks for its libraries where this system installs them, which is not lib/.
    tree=build/wheel-tree
    cmake --preset release -B "$tree" -DCMAKE_INSTALL_LIBDIR=lib > /dev/null
    cmake --build "$tree" > /dev/null
fi

stage=$PWD/build/wheel package=$PWD/build/wheel/deepxtrace
rm -rf "$stage" build/dist
mkdir -p "$stage" build/dist
DESTDIR=$stage/install cmake --install "$tree" --prefix / --strip > /dev/null
cp -r python/. README.md LICENSE "$stage"
find "$stage" -name __pycache__ -prune -exec rm -r {} +
cp -r "$stage/install/include" "$package"
mkdir "$package/bin" "$package/lib"
cp "$stage/install/bin/deepxtrace" "$package/bin"
for library in "$stage"/install/lib/libdeepxtrace*.so.0; do
    cp -L "$library" "$package/lib" # a wheel has no symbolic links
done
# The command's JSON library; a machine that installs a wheel need not have it.
jansson=$(ldd "$package/bin/deepxtrace" | awk '$1 ~ /^libjansson/ { print $3 }')
if [[ -n $jansson ]]; then
    cp -L "$jansson" "$package/lib"
    notice=/usr/share/doc/libjansson4/copyright
    if [[ -f $notice ]]; then cp "$notice" "$package/lib/libjansson.copyright"; fi
fi
sed -nE 's/^project\(deepxtrace VERSION ([0-9.]+) .*/\1/p' CMakeLists.txt > "$stage/VERSION"
rm -rf "$stage/install"

glibc=$(find "$package/bin" "$package/lib" -type f ! -name '*.copyright' -exec objdump -T {} + |
    grep -oE 'GLIBC_2\.[0-9]+' | sort -uV | tail -n 1)
platform=manylinux_${glibc#GLIBC_}
DXT_WHEEL_PLATFORM=${platform/./_}_$(uname -m)
export DXT_WHEEL_PLATFORM
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2> /dev/null || date +%s)}
export SOURCE_DATE_EPOCH
(
    cd "$stage"
    "$OLDPWD/scripts/python.sh" setuptools,wheel -c '
import sys
from setuptools import build_meta
build_meta.build_wheel(sys.argv[1])' ../dist > build.log 2>&1
) || {
    cat "$stage/build.log" >&2
    exit 1
}
ls build/dist/*.whl
