#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test.sh PRESET [CTEST-OPTION…]: build a preset and run its tests; the last line counts them.
# Tests labelled `multi` are real jobs and run after the others, two at a time; those of them that
# judge a machine's timing, labelled `alone`, run one at a time at the end. A `multi` test that fails is
# run once more, and is named at the end if it passes then. So is one under an emulator of another
# machine (arm64), and a fuzz target with a seed of its own (DXT_FUZZ_SEED), which meets the same inputs
# again. No other test has a second try. What each one that failed printed last is in
# TREE/test-reports/failed.txt. The option -LE is refused: the steps have theirs.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

preset=${1:?usage: test.sh PRESET [CTEST-OPTION…]}
shift
# Of several -LE ctest would obey the last one in each step, and a test would run in more than one.
for option; do
    case $option in
        -LE | -LE=* | --label-exclude | --label-exclude=*)
            echo "test.sh: leave out $option: the labels multi and alone part the steps; use -E or -L" >&2
            exit 2
            ;;
    esac
done
tree=build-$preset
if [[ $preset == test || $preset == release ]]; then tree=build; fi

build()
{
    local targets
    if [[ $preset != fuzz ]]; then
        cmake --preset "$preset" && cmake --build "$tree"
        return
    fi
    cmake --preset fuzz -DDXT_FUZZ_SECONDS="${DXT_FUZZ_SECONDS:-60}" \
        -DDXT_FUZZ_SEED="${DXT_FUZZ_SEED:-0}" || return
    # A fuzz test is called as its program. The rest of the tree is not for this preset.
    mapfile -t targets < <(ctest --test-dir "$tree" -N -L fuzz | sed -n 's/^ *Test *#[0-9]*: //p')
    if ((${#targets[@]} > 0)); then cmake --build "$tree" --target "${targets[@]}"; fi
}
if ! build; then
    echo "The build failed." >&2
    count_line 0 1
    exit 1
fi

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1}
export LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$PWD/scripts/lsan.supp:print_suppressions=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1}
runner=()
# ThreadSanitizer of GCC 12 cannot place its shadow where the kernel randomises over 32 bits.
if [[ $preset == tsan ]] && setarch -R true 2> /dev/null; then runner=(setarch -R); fi

reports=$PWD/$tree/test-reports
rm -rf "$reports"
mkdir -p "$reports"
status=0
# run_tests NAME CTEST-OPTION…: the reports are read in the order of their names.
run_tests()
{
    local report=$reports/$1
    shift
    "${runner[@]}" ctest --test-dir "$tree" --output-on-failure --no-tests=ignore \
        --output-junit "$report.xml" "$@" < /dev/null | tee "$report.log" || status=1
}
again=(--repeat until-pass:2)
first=()
if [[ $preset == arm64 || ($preset == fuzz && ${DXT_FUZZ_SEED:-0} != 0) ]]; then first=("${again[@]}"); fi
run_tests 1-parallel --parallel 2 "${first[@]}" "$@" -LE multi
run_tests 2-jobs --parallel 2 "${again[@]}" "$@" -L multi -LE alone
run_tests 3-serial --parallel 1 "${again[@]}" "$@" -L alone
# ctest numbers first tries ("3/46 Test #9: …") and no others.
twice=$(sed -nE 's/^ +Test +#[0-9]+: ([^ ]+) \.+ +Passed .*/\1/p' "$reports"/*.log | tr '\n' ' ')

# Each failure with the end of its output: ctest puts it between the test's line and the next one.
awk '
    function flush(   i) {
        if (name == "") return
        print "---- " name
        for (i = count > 60 ? count - 60 : 0; i < count; i++) print "    " text[i]
        name = ""
    }
    /^ *([0-9]+\/[0-9]+ )? *Test +#[0-9]+: |^ +Start +[0-9]+: |^[0-9]+% tests passed/ { flush(); count = 0 }
    /Test +#[0-9]+: .*\*\*\*/ { name = $0; sub(/^.*Test +#[0-9]+: /, "", name) }
    name != "" { text[count++] = substr($0, 1, 400) }
    END { flush() }' "$reports"/*.log > "$reports/failed.txt"

# A test that was skipped says so by its exit status; one that could not be started has failed.
# The names of those that failed follow the numbers.
read -r passed failed skipped names < <(cat /dev/null "$reports"/*.xml | awk '
    function finish() {
        if (open && bad) { failed++; names = names " " name }
        else if (open && skip) skipped++
        else if (open) passed++
    }
    /<testcase / { finish(); open = 1; bad = skip = 0
                   name = $0; sub(/.*<testcase name="/, "", name); sub(/".*/, "", name)
                   if ($0 ~ /status="disabled"/) skip = 1
                   else if ($0 !~ /status="run"/) bad = 1 }
    /<skipped message="SKIP_RETURN_CODE/ { skip = 1; bad = 0 }
    /<failure/ { bad = 1 }
    END { finish(); print passed + 0, failed + 0, skipped + 0 names }')
if ((passed + failed + skipped == 0)); then
    echo "No test was found." >&2
    status=1
fi
if ((failed > 0)); then status=1; fi
if ((status != 0 && failed == 0)); then failed=1; fi
if [[ $twice ]]; then echo "Passed at the second try: $twice"; fi
if [[ $names ]]; then echo "Failed: $names"; fi
count_line "$passed" "$failed" "$skipped"
exit "$status"
