#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# interrupted.sh CAMPAIGN: whoever ends the campaign ends the part that runs, which is not done then;
# and a part that alone is ended ends its commands.
set -euo pipefail
# Each part that it names is there.
parts=$("$1" none 2>&1 || true)
for part in ${parts##*one of }; do grep -q "^$part()" "$1"; done
folder=$(mktemp -d)
export DXT_CAMPAIGN_RESULTS=$folder/results TMPDIR=$folder
setsid "$1" kills limits > "$folder/said" 2>&1 &
campaign=$!
trap 'kill -KILL $(jobs_of | awk "{ print \$1 }") 2> /dev/null || true; rm -rf "$folder"' EXIT
jobs_of() { ps -e -o pid=,sid=,stat=,args= | awk -v sid="$campaign" '$2 == sid && $3 !~ /Z/'; }
begun=
for ((i = 0; i < 600; i++)); do
    if jobs_of | grep ' job -n' > /dev/null; then
        begun=yes # a job is short, and may be over at the next look
        break
    fi
    sleep 0.1
done
[[ -n $begun ]]
kill -TERM "$campaign"
status=0
wait "$campaign" || status=$?
[[ $status == 143 ]]
grep -q 'interrupted; the next call goes on with kills' "$folder/said"
for ((i = 0; i < 50; i++)); do
    if [[ -z $(jobs_of) ]]; then break; fi
    sleep 0.1
done
jobs_of
[[ -z $(jobs_of) ]]
if grep 'well at' "$folder/results/kills"; then exit 1; fi
[[ ! -e $folder/results/limits ]]
# No folder of the part is left.
[[ -z $(find "$folder" -name 'dxt-campaign-*') ]]
# A day takes much longer than this.
tree=$(dirname "$1")/..
python3 -B "$tree/tests/campaign/replay.py" "$tree/build/bin/deepxtrace" > "$folder/said" 2>&1 &
replay=$!
commands() { pgrep -c -P "$replay" || true; }
for ((i = 0; i < 600; i++)); do
    if [[ $(commands) == 2 ]]; then break; fi
    sleep 0.1
done
[[ $(commands) == 2 ]]
kill -TERM "$replay"
for ((i = 0; i < 100; i++)); do
    if ! kill -0 "$replay" 2> /dev/null; then break; fi
    sleep 0.1
done
status=0
kill -KILL "$replay" 2> /dev/null || true
wait "$replay" || status=$?
[[ $status == 143 ]]
