#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build-api.sh: the reference of the C interface as HTML, from the headers, into build/api/html/. Every
# public function must be found in it.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

if ! command -v doxygen > /dev/null; then
    echo "doxygen is not installed (Debian: doxygen)" >&2
    exit 1
fi
rm -rf build/api
mkdir -p build/api
doxygen docs/Doxyfile > build/api.log 2>&1 || { cat build/api.log >&2; exit 1; }
missing=0
while read -r function; do
    if ! grep -q "<name>$function</name>" build/api/xml/index.xml; then
        echo "$function is not in the reference" >&2
        missing=1
    fi
done < <(cat tests/install/symbols/libdeepxtrace.txt tests/install/symbols/libdeepxtrace-ep.txt)
rm -r build/api/xml
echo build/api/html/index.html
exit "$missing"
