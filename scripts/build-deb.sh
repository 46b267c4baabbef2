#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build-deb.sh: Debian packages for this system, into build/dist/; lintian judges them if it is
# installed. The same source makes the same bytes. Without the CUDA parts: NVIDIA's libraries are no
# packages of Debian.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

tree=${DXT_DEB_TREE:-$PWD/build/deb}
out=$PWD/build/dist
SOURCE_DATE_EPOCH=$(source_date)
export SOURCE_DATE_EPOCH
rm -rf "$tree/packages"
cmake -S . -B "$tree" -G Ninja -DCMAKE_BUILD_TYPE=Release -DDXT_TESTS=OFF -DDXT_CUDA=OFF -DDXT_DEBIAN=ON \
    -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_SKIP_INSTALL_RPATH=ON -DCMAKE_BUILD_RPATH_USE_ORIGIN=ON > "$tree.log" 2>&1 ||
    { cat "$tree.log" >&2; exit 1; }
cmake --build "$tree" > "$tree.log" || { cat "$tree.log" >&2; exit 1; }
(cd "$tree" && cpack -B "$tree/packages") > "$tree.log" 2>&1 || { cat "$tree.log" >&2; exit 1; }
mkdir -p "$out"
rm -f "$out"/*.deb
cp "$tree"/packages/*.deb "$out"
# What is installed, not what lies in the build tree: CMake rewrites search paths on the way.
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
for package in "$out"/*.deb; do dpkg-deb -x "$package" "$unpacked"; done
scripts/check-elf.sh "$unpacked"
if command -v lintian > /dev/null; then
    lintian --allow-root --fail-on error,warning "$out"/*.deb
else
    echo "lintian is not installed; the packages were not judged"
fi
ls "$out"/*.deb
