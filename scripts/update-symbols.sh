#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# update-symbols.sh: make what the libraries in build/ export the lists that check-symbols.sh holds
# them to. Look at the difference before committing it: a symbol that is gone breaks programs.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

for library in build/lib/libdeepxtrace*.so; do
    name=${library##*/}
    exported "$library" > "tests/install/symbols/${name%.so}.txt"
done
