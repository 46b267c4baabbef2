#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# done_before.sh CAMPAIGN: a part is done before only where it went well with the same source.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tree=$folder/tree
mkdir -p "$tree/scripts" "$tree/tests/campaign"
cp "$1" "$(dirname "$1")/lib.sh" "$tree/scripts"
echo 'print("done now")' > "$tree/tests/campaign/limits.py"
export DXT_CAMPAIGN_RESULTS=$folder/results GIT_CEILING_DIRECTORIES=$folder GIT_CONFIG_GLOBAL=/dev/null
says() { "$tree/scripts/campaign.sh" limits 2>&1 | grep -x "$1" > /dev/null; }
# Without git nothing tells what the source is.
says 'done now'
says 'done now'
git() { command git -C "$tree" -c user.name=nobody -c user.email=nobody@example.org "$@"; }
git init -q
git add .
git commit -q -m source
says 'done now'
says '==== limits: done before'
# A file that git does not know is another source.
echo 'print("another")' > "$tree/tests/campaign/more.py"
says 'done now'
rm "$tree/tests/campaign/more.py"
says 'done now'
says '==== limits: done before'
echo 'print("done now")  # changed' > "$tree/tests/campaign/limits.py"
says 'done now'
