/* SPDX-License-Identifier: Apache-2.0 */
/* `simulate`: faults as a command line gives them. */
#ifndef TOOLS_SIMULATE_FAULTS_H
#define TOOLS_SIMULATE_FAULTS_H

#include "truth.h"

/** All faults given so far. */
typedef struct sim_faults {
    sim_fault items[SIM_MAX_FAULTS];
    size_t count;
} sim_faults;

/** What an option that takes one kind of fault points to. */
typedef struct sim_fault_option {
    sim_faults *faults;
    sim_kind kind;
} sim_fault_option;

/**
 * A parse function of options.h. PHASE:RANK:DURATION, where RANK may be a range as in 0-6;
 * PHASE:FROM->TO:DURATION, or TO<-FROM, for paths; RANK:FACTOR for a hot rank; PHASE:DURATION for
 * rotating lateness; PHASE:PERCENT:DURATION for stalls.
 */
bool sim_parse_fault(const char *text, void *option, char *why, size_t why_size);

#endif
