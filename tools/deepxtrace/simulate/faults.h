/* SPDX-License-Identifier: Apache-2.0 */
/* `simulate`: faults as a command line gives them. */
#ifndef DXT_SIMULATE_FAULTS_H
#define DXT_SIMULATE_FAULTS_H

#include "truth.h"

/** All faults given so far. */
typedef struct dxt_sim_faults {
    dxt_sim_fault items[DXT_SIM_MAX_FAULTS];
    size_t count;
} dxt_sim_faults;

/** What an option that takes one kind of fault points to. */
typedef struct dxt_sim_fault_option {
    dxt_sim_faults *faults;
    dxt_sim_kind kind;
} dxt_sim_fault_option;

/**
 * A parse function of options.h. PHASE:RANK:DURATION, where RANK may be a range as in 0-6;
 * PHASE:DST<-SRC:DURATION for paths; RANK:FACTOR for a hot rank.
 */
bool dxt_sim_parse_fault(const char *text, void *option, char *why, size_t why_size);

#endif
