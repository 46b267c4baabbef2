/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mailbox of src/gather/mailbox.c: one rank publishes, rank 0 collects at any time. Two slots instead of four, mails
 * of two words. Nobody may ever read a mail of which one word is another mail's, or under another number.
 *
 * BROKEN 1: words without release, so that they may be seen before the version is odd.
 * BROKEN 2: the version becomes even without release.
 * BROKEN 3: the reader does not look at the version again.
 */
#ifndef BROKEN
#define BROKEN 0
#endif
#define DEPTH 2
#define MAILS 4
#define PLACES 8
#define PENDING 4
#include "stores.pml"

#define VERSION(slot) (slot)
#define SEQUENCE(slot) (DEPTH + (slot))
#define WORD(slot, w) (2 * DEPTH + 2 * (slot) + (w))

active proctype publisher()
{
    byte number;
    do
    :: number < MAILS ->
        store(VERSION(number % DEPTH), 2 * number + 1, 0);
        store(SEQUENCE(number % DEPTH), number + 1, 1);
        store(WORD(number % DEPTH, 0), number + 1, (BROKEN != 1));
        store(WORD(number % DEPTH, 1), number + 1, (BROKEN != 1));
        store(VERSION(number % DEPTH), 2 * number + 2, (BROKEN != 2));
        number++
    :: else -> break
    od
}

active proctype collector()
{
    byte looks, slot, version, best, found, sequence, first, second;
    do
    :: looks < 2 ->
        best = 0;
        slot = 0;
        do
        :: slot < DEPTH ->
            version = memory[VERSION(slot)];
            if
            :: version != 0 && version % 2 == 0 && version > best ->
                best = version;
                found = slot
            :: else
            fi;
            slot++
        :: else -> break
        od;
        if
        :: best > 0 ->
            sequence = memory[SEQUENCE(found)];
            first = memory[WORD(found, 0)];
            second = memory[WORD(found, 1)];
            if
            :: BROKEN == 3 || memory[VERSION(found)] == best ->
                assert(sequence == best / 2 && first == sequence && second == sequence)
            :: else
            fi
        :: else
        fi;
        looks++
    :: else -> break
    od
}
