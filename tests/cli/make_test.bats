#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# scripts/test.sh, which is `make test`, on a project of three tests: its last lines.

bats_require_minimum_version 1.5.0

setup() {
    mkdir -p "$BATS_TEST_TMPDIR/tree/scripts"
    cd "$BATS_TEST_TMPDIR/tree"
    cp "${DXT_SOURCE_DIR:?}"/scripts/{test,lib}.sh scripts
    cat > CMakePresets.json << 'END'
{"version": 3, "configurePresets": [{"name": "test", "binaryDir": "${sourceDir}/build"}]}
END
    cat > CMakeLists.txt << 'END'
cmake_minimum_required(VERSION 3.25)
project(three LANGUAGES NONE)
enable_testing()
add_test(NAME good COMMAND true)
add_test(NAME cannot COMMAND sh -c "exit 77")
set_tests_properties(cannot PROPERTIES SKIP_RETURN_CODE 77)
include(bad.cmake OPTIONAL)
END
}

@test "it ends with the names of what failed, and with the numbers" {
    echo 'add_test(NAME bad_one COMMAND sh -c "echo because of this; exit 1")
add_test(NAME bad_two COMMAND sh -c "exit 2")
set_tests_properties(bad_two PROPERTIES LABELS multi)' > bad.cmake
    run scripts/test.sh test
    [ "$status" -eq 1 ]
    [ "${lines[-2]}" = "Failed: bad_one bad_two" ]
    [ "${lines[-1]}" = "1 passed, 2 failed, 1 skipped" ]
    grep -q "because of this" build/test-reports/failed.txt
}

@test "it names nothing where all is well" {
    run scripts/test.sh test
    [ "$status" -eq 0 ]
    [[ $output != *Failed* ]]
    [ "${lines[-1]}" = "1 passed, 0 failed, 1 skipped" ]
}

@test "labels cannot be excluded: tests would run twice" {
    run scripts/test.sh test -LE slow
    [ "$status" -eq 2 ]
    [[ $output == "test.sh: leave out -LE: "* ]]
    [ ! -e build ]
}
