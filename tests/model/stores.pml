/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory whose stores of one thread may become visible late and in another order than they were made in, as AArch64
 * allows: a queue for each place, and a bus that carries any queue's first store to memory at any time. A release store
 * waits until all that its thread stored before is in memory. Loads happen in the order of the program: acquire loads do
 * so on AArch64 as well; models say where a load is weaker.
 *
 * Include after: #define PLACES n, #define PENDING n (stores of one place under way at most).
 */
byte memory[PLACES];

typedef queue {
    chan stores = [PENDING] of {byte, byte, bit}; /* when it was made, value, release */
}
queue pending[PLACES];
byte made; /* stores of the writer so far; it is the only thread that has queues */

inline store(place, value, release)
{
    d_step {
        made++;
        pending[place].stores!made, value, release
    }
}

/* Whether the first store of a place may go to memory now. */
inline may_go(place, answer)
{
    answer = nempty(pending[place].stores);
    if
    :: answer ->
        pending[place].stores?<first, what, releases>;
        if
        :: releases ->
            other = 0;
            do
            :: other < PLACES ->
                if
                :: other != place && nempty(pending[other].stores) ->
                    pending[other].stores?<second, what, releases>;
                    if
                    :: second < first -> answer = 0
                    :: else
                    fi
                :: else
                fi;
                other++
            :: else -> break
            od
        :: else
        fi
    :: else
    fi
}

active proctype bus()
{
    byte place, other, first, second, what;
    bit releases, can;
end:
    do
    :: atomic {
           select(place : 0 .. PLACES - 1);
           may_go(place, can);
           if
           :: can -> pending[place].stores?_, memory[place], _
           :: else
           fi;
           place = 0; other = 0; first = 0; second = 0; what = 0; releases = 0; can = 0
       }
    od
}
