#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# dist.sh: all that a release has, into build/dist/: the source, wheels for x86-64 and AArch64, Debian
# packages of this system, the reference of the C interface if doxygen is installed, and the checksums.
# Needs the network the first time, and takes minutes.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

version=$(sed -nE 's/^project\(deepxtrace VERSION ([0-9.]+) .*/\1/p' CMakeLists.txt)
SOURCE_DATE_EPOCH=$(source_date)
export SOURCE_DATE_EPOCH
rm -rf build/dist
mkdir -p build/dist
git archive --format=tar --prefix="deepxtrace-$version/" HEAD | gzip -9n > "build/dist/deepxtrace-$version.tar.gz"
scripts/build-wheel.sh --portable x86_64 --portable aarch64
scripts/build-deb.sh
if command -v doxygen > /dev/null; then
    scripts/build-api.sh
    tar -C build/api --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -c html |
        gzip -9n > "build/dist/deepxtrace-$version-api.tar.gz"
fi
(cd build/dist && sha256sum -- * > SHA256SUMS && cat SHA256SUMS)
