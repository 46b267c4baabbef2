#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# after-install.sh PREFIX: see to it that programs find the libraries that were just installed there,
# or say what is to be done.
set -euo pipefail
prefix=$(realpath -m "${1:?}")
library=$(find "$prefix" -maxdepth 3 -name 'libdeepxtrace.so.0' -print -quit)
if [[ -z $library ]]; then
    echo "after-install.sh: no libdeepxtrace.so.0 below $prefix" >&2
    exit 1
fi
folder=$(dirname "$library")
PATH=$PATH:/sbin:/usr/sbin

# The folders that the loader searches, as ldconfig reads them from its settings.
searched()
{
    ldconfig -v -N -X 2> /dev/null | sed -nE 's|^(/[^:]*):.*|\1|p'
}

if command -v ldconfig > /dev/null && searched | grep -qxF "$folder"; then
    if (($(id -u) == 0)); then
        ldconfig
        echo "Installed; ldconfig has told the loader of $folder."
    else
        echo "Installed; the loader learns of the libraries in $folder by: sudo ldconfig"
    fi
else
    echo "Installed. The command finds its libraries by itself. Your own programs find them if they are"
    echo "linked with -Wl,-rpath,$folder (CMake does that) or started with LD_LIBRARY_PATH=$folder"
fi
case ":$PATH:" in
*":$prefix/bin:"*) ;;
*) echo "The command is $prefix/bin/deepxtrace: export PATH=\"$prefix/bin:\$PATH\"" ;;
esac
if [[ $folder != /usr/* ]]; then
    echo "For pkg-config: export PKG_CONFIG_PATH=$folder/pkgconfig; for CMake: -DCMAKE_PREFIX_PATH=$prefix"
fi
echo "make uninstall PREFIX=$prefix takes it away again."
