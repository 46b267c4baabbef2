#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# mutants.sh [NAME…]: move each number of src/analysis/tuning.h (or those named) by half, both ways,
# and run the tests of the analysis, which have to notice. Survivors are listed; more than the budget
# fail. A define with "not moved:" behind it is left out, for the reason that stands there.
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

budget=5
tree=build-mutants
# The quick ones, and those that notice most, first.
tests='test_tuning test_tuning_paths test_tuning_links test_tuning_loss test_tuning_operators test_tuning_rules test_tuning_history test_analysis test_analysis_any
    test_analysis_nodes test_analysis_doubt test_analysis_silence test_analysis_bundles test_analysis_blind
    test_analysis_blocks test_analysis_links test_analysis_rotating test_analysis_coupled test_analysis_nics test_analysis_standing test_history_still
    test_history test_history_memory test_history_cells test_draft test_analysis_lost test_analysis_recorded test_history_recorded'

# mutate NAME=VALUE: run the tests until one notices.
mutate()
{
    export DXT_MUTANT=$1
    for test in $tests; do
        if ! timeout 120 "$tree/bin/$test" > /dev/null 2>&1; then
            echo "noticed $1 by $test"
            return
        fi
    done
    if ! tests/recorded/golden.sh "$tree/bin/deepxtrace" > /dev/null 2>&1; then
        echo "noticed $1 by golden.sh"
    else
        echo "SURVIVED $1"
    fi
}

if [[ ${1:-} == --one ]]; then
    mutate "$2"
    exit
fi

export DXT_SOURCE_DIR=$PWD DXT_BUILD_DIR=$PWD/$tree
# shellcheck disable=SC2086 # several words
if ! cmake --preset mutants > /dev/null ||
    ! cmake --build "$tree" --target $tests deepxtrace-command > /dev/null; then
    echo "The build failed." >&2
    count_line 0 1
    exit 1
fi
if [[ $(mutate DXT_NOTHING=0) != SURVIVED* ]]; then
    echo "The tests fail as it is." >&2
    count_line 0 1
    exit 1
fi

result=$(awk -v names=" $* " '
    /---- sizes ----/ { sizes = 1 }
    /---- end of sizes ----/ { sizes = 0 }
    sizes || !/^#define DXT_[A-Z0-9_]+ +[0-9]/ || /not moved:/ { next }
    names != "  " && index(names, " " $2 " ") == 0 { next }
    {
        value = $3 + 0
        more = value * 1.5; less = value / 1.5
        if ($3 !~ /[.e]/) { more = int(more + 0.999); less = int(less) }
        printf "%s=%.10g\n%s=%.10g\n", $2, more, $2, less
    }' src/analysis/tuning.h | xargs -P "$(nproc)" -n 1 "$0" --one)
[[ ${MUTANTS_VERBOSE:-} ]] && echo "$result"
survivors=$(grep -c '^SURVIVED' <<< "$result")
noticed=$(grep -c '^noticed' <<< "$result")
grep '^SURVIVED' <<< "$result" | sort
echo "mutants: $noticed of $((noticed + survivors)) noticed, $survivors survived; up to $budget may"
if ((survivors > budget || noticed == 0)); then
    count_line "$noticed" "$survivors"
    exit 1
fi
count_line "$noticed" 0
