#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# demo.sh [BUILD-FOLDER]: a job of 16 ranks on this machine, rank 2 slow before every dispatch and
# rank 3 before every combine, and the diagnosis of both. Fails unless exactly these two are named.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

build=${1:-build}
command=$build/bin/deepxtrace
folder=$build/demo
delay=10ms
if [[ ! -x $command ]]; then
    echo "demo.sh: $command is not built yet: make build" >&2
    exit 2
fi
mkdir -p "$folder"
color=never
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then color=always; fi

job=(job --ranks 16 --steps 200 --window 50 --slow "dispatch:2:$delay" --slow "combine:3:$delay")
cat << END
16 processes dispatch and combine. Rank 2 sleeps $delay before every dispatch and
rank 3 before every combine; the diagnosis is not told.

\$ deepxtrace job --ranks 16 --steps 200 --window 50 \\
      --slow dispatch:2:$delay --slow combine:3:$delay

END
pictures=(--heatmap "$folder/demo.svg")
png=
if "$command" info --json | grep -q '"name":"cairo".*"available":true'; then
    png=$folder/demo.png
    pictures+=(--heatmap "$png")
fi
"$command" "${job[@]}" --color "$color" --force --record "$folder/demo.jsonl" \
    "${pictures[@]}" | tee "$folder/demo.txt"

# Whom does the verdict over the whole run name?
named=$(sed -n '/^The whole run/,$p' "$folder/demo.txt" |
    sed -nE 's/^ +(minor|major|critical) +([^:]*):.*/\2/p')
expected='rank 2 is late in dispatch
rank 3 is late in combine'
echo
if [[ $named != "$expected" ]]; then
    echo "The demo should have named rank 2 in dispatch and rank 3 in combine, and nobody else. It named:"
    echo "${named:-nobody}"
    exit 1
fi
cat << END
Exactly the two slow ranks were named. What the run left:
  $folder/demo.jsonl  the windows as a recording
  $folder/demo.svg    the heat maps${png:+ ($png: the same as a bitmap)}
Next:
  $command analyze $folder/demo.jsonl
  $command heatmap $folder/demo.jsonl --phase combine
  $command job --ranks 8 --slow-path 'dispatch:6->1:10ms'
END
