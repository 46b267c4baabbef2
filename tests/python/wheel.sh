#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# wheel.sh [REPETITIONS]: build the wheel, install it into a fresh virtual environment, and run both
# examples of the manual with it. Rank 0 must name the two slow ranks in both.
set -euo pipefail
source=${DXT_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
repetitions=${1:-1}
cd "$source"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH DEEPXTRACE_LIBRARY_PATH LD_LIBRARY_PATH DEEPXTRACE_PARTS

fail()
{
    echo "FAILED: $1" >&2
    exit 1
}

scripts/build-wheel.sh > "$work/wheels" || exit
mapfile -t wheels < "$work/wheels"
# torch is the machine's; the environment is otherwise empty.
scripts/python.sh torch,numpy,ensurepip -m venv --system-site-packages "$work/venv" || exit
export PATH=$work/venv/bin:$PATH
python3 -m pip install -q --no-index --no-deps "${wheels[@]}" || fail "the wheel cannot be installed"
cd "$work"

echo "== the package, its command and its headers"
python3 - << 'END' || fail "the package"
import pathlib
import deepxtrace
assert deepxtrace.get_library().startswith(str(pathlib.Path(deepxtrace.__file__).parent))
assert (pathlib.Path(deepxtrace.get_include()) / "deepxtrace" / "probe.h").exists()
END
grep -q 'jansson' "$(python3 -c 'import deepxtrace; print(deepxtrace.__path__[0])')/NOTICES" ||
    fail "what the wheel bundles is not said"
[[ $(deepxtrace --version) == *"$(python3 -c 'import deepxtrace; print(deepxtrace.__version__)')"* ]] ||
    fail "deepxtrace --version"
ldd "$(python3 -c 'import deepxtrace; print(deepxtrace.__path__[0])')/bin/deepxtrace" > libraries
if grep -E 'libdeepxtrace|libjansson' libraries | grep -v "$work/venv"; then
    fail "libraries from elsewhere"
fi
"$source/scripts/check-elf.sh" "$(python3 -c 'import deepxtrace; print(deepxtrace.__path__[0])')" ||
    fail "check-elf.sh"
echo '#include <deepxtrace/probe.h>' | "${CC:-cc}" -fsyntax-only -x c -I \
    "$(python3 -c 'import deepxtrace; print(deepxtrace.get_include())')" - || fail "headers"
deepxtrace-run --help > /dev/null || fail "deepxtrace-run"

# names FILE: which rank each operator's worst finding blames, over the whole of a recording.
names()
{
    deepxtrace analyze --json "$1" | python3 -c '
import collections, json, sys
blamed = collections.defaultdict(collections.Counter)
for line in sys.stdin:
    answer = json.loads(line)
    worst = answer["findings"][:1]
    blamed[answer["phase"]][worst[0].get("rank") if worst else None] += 1
print(*(f"{phase}:{counts.most_common(1)[0][0]}" for phase, counts in sorted(blamed.items())))'
}

echo "== a program that knows nothing of it"
PYTHONPATH=$source/tests/python/cpu DELAY_MS=20 STEPS=150 DEEPEP_DIAGNOSE_WARMING_TIME=0 deepxtrace-run \
    --interval 1 --output unaware python3 "$source/examples/python/unaware.py" || fail "unaware.py"
[[ $(names unaware/diagnose_rank0.jsonl) == "combine:3 dispatch:2" ]] ||
    fail "$(cat unaware/diagnose_rank0.log)"

right=0
for ((round = 1; round <= repetitions; round++)); do
    for example in sync async; do
        rm -f diagnose_rank*
        DELAY_MS=${DELAY_MS:-10} STEPS=${STEPS:-200} MASTER_PORT=$((20000 + RANDOM % 20000)) \
            DEEPEP_DIAGNOSE_WARMING_TIME=0 "$source/examples/python/start.sh" 4 \
            "$source/examples/python/$example.py" > "$example.out" 2> "$example.err" ||
            fail "$example.py: $(cat "$example.err")"
        blamed=$(names diagnose_rank0.jsonl)
        echo "round $round, $example: $blamed"
        if [[ $blamed == "combine:3 dispatch:2" ]]; then right=$((right + 1)); fi
    done
done
echo "both slow ranks named in $right of $((2 * repetitions)) runs"
((right == 2 * repetitions))
