/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe of include/deepxtrace/probe.h: one thread counts, another takes snapshots. Two sources, three operations. A
 * snapshot may hold the waits of an operation that it does not count yet, never an operation without its waits; and no
 * counter ever falls.
 *
 * BROKEN 1: operations are counted without release.
 * BROKEN 2: a snapshot reads operations last.
 */
#ifndef BROKEN
#define BROKEN 0
#endif
#define OPERATIONS 3
#define PLACES 5
#define PENDING 3
#include "stores.pml"

#define WAITS(source) (source)
#define SAMPLES(source) (2 + (source))
#define OPS 4

active proctype kernel()
{
    byte op = 1;
    do
    :: op <= OPERATIONS ->
        store(WAITS(0), 7 * op, 0);
        store(SAMPLES(0), op, 0);
        store(WAITS(1), 7 * op, 0);
        store(SAMPLES(1), op, 0);
        store(OPS, op, (BROKEN != 1));
        op++
    :: else -> break
    od
}

/* The order of the cells is anybody's: loads behind the acquire load may be reordered among themselves. */
active proctype session()
{
    byte looks, ops, waits, samples, source, ops_before, samples_before[2];
    do
    :: looks < 2 ->
        if
        :: BROKEN != 2 -> ops = memory[OPS]
        :: else
        fi;
        select(source : 0 .. 1);
        if
        :: waits = memory[WAITS(source)]; samples = memory[SAMPLES(source)]
        :: samples = memory[SAMPLES(source)]; waits = memory[WAITS(source)]
        fi;
        if
        :: BROKEN == 2 -> ops = memory[OPS]
        :: else
        fi;
        assert(samples >= ops && waits >= 7 * ops);
        assert(ops >= ops_before && samples >= samples_before[source]);
        ops_before = ops;
        samples_before[source] = samples;
        looks++
    :: else -> break
    od
}
