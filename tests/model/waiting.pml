/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting in ep/shm/wait.c: senders set their flag, count themselves and wake a receiver that says it sleeps; the receiver
 * looks at the flags, says for which count it sleeps, looks again and sleeps on the count (a futex). It must never sleep
 * for good once all have come. The code cuts every sleep at 50 ms; here a sleep has no end, so that a lost wake-up is a
 * deadlock that the checker finds.
 *
 * All stores but the flag are sequentially consistent, so memory is plain here; the flag is set with release before the
 * count, which is a read-modify-write behind it. The receiver's second look is an acquire load and may happen before its
 * sequentially consistent stores become visible: EARLY_LOOK lets it.
 *
 * BROKEN 1: the receiver says that it sleeps only after its second look, and the futex does not compare.
 * BROKEN 2: a sender looks whether the receiver sleeps before it counts itself.
 * BROKEN 3: the futex does not compare the count.
 */
#ifndef BROKEN
#define BROKEN 0
#endif
#define SENDERS 2

bit flag[SENDERS];
byte count, target;
bit sleeping, asleep, awake;

proctype sender(byte me)
{
    byte mine;
    bit sees, wakes;
    flag[me] = 1;
    if
    :: BROKEN == 2 -> sees = sleeping
    :: else
    fi;
    atomic {
        count++;
        mine = count
    }
    if
    :: BROKEN != 2 -> sees = sleeping
    :: else
    fi;
    if
    :: sees -> wakes = (mine >= target)
    :: else
    fi;
    if
    :: wakes -> asleep = 0
    :: else
    fi
}

inline look()
{
    missing = 0;
    i = 0;
    do
    :: i < SENDERS ->
        if
        :: flag[i] == 0 -> missing++
        :: else
        fi;
        i++
    :: else -> break
    od
}

proctype receiver()
{
    byte i, missing, seen, before;
    bit early;
    do
    :: look();
        if
        :: missing == 0 -> break
        :: else
        fi;
        seen = count;
        before = missing;
        early = 0;
        if
        :: look(); early = 1
        :: skip
        fi;
        if
        :: BROKEN != 1 -> target = seen + before; sleeping = 1
        :: else
        fi;
        if
        :: early == 0 -> look()
        :: else
        fi;
        if
        :: BROKEN == 1 -> target = seen + before; sleeping = 1
        :: else
        fi;
        if
        :: missing == before ->
            atomic {
                if
                :: count == seen || BROKEN == 1 || BROKEN == 3 -> asleep = 1
                :: else
                fi
            }
            asleep == 0
        :: else
        fi;
        sleeping = 0
    od;
    awake = 1
}

init {
    byte n;
    atomic {
        run receiver();
        do
        :: n < SENDERS -> run sender(n); n++
        :: else -> break
        od
    }
}
