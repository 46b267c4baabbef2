#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# scripts/demo.sh reads the report that the command prints today. The job is a simulated one here, so
# that nothing depends on the load of this machine.

setup()
{
    export DEEPXTRACE_HERE=$DXT_BUILD_DIR/bin/deepxtrace
    mkdir -p "$BATS_TEST_TMPDIR/bin"
    cat > "$BATS_TEST_TMPDIR/bin/deepxtrace" << 'END'
#!/bin/sh
[ "$1" = job ] || exec "$DEEPXTRACE_HERE" "$@"
echo "The whole run, 16 ranks:"
# shellcheck disable=SC2086
"$DEEPXTRACE_HERE" simulate -n 16 $FAULTS | "$DEEPXTRACE_HERE" analyze --no-history -
END
    chmod +x "$BATS_TEST_TMPDIR/bin/deepxtrace"
}

demo()
{
    "$DXT_SOURCE_DIR/scripts/demo.sh" "$BATS_TEST_TMPDIR"
}

@test "the two slow ranks are recognised in the report" {
    FAULTS='--windows 1 --slow dispatch:2:300us --slow combine:3:300us' run demo
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *'Exactly the two slow ranks were named.'* ]]
}

@test "another rank, or nobody, fails the demo" {
    FAULTS='--windows 1 --slow dispatch:2:300us --slow combine:4:300us' run demo
    [ "$status" -eq 1 ]
    [[ $output == *'rank 4 is late in combine'* ]]
    FAULTS='--windows 1' run demo
    [ "$status" -eq 1 ]
    [[ $output == *nobody* ]]
}
