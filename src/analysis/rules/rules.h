/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules. A rule is about ranks, nodes, paths, …, its subjects, and has three functions: whether
 * it applies to a subject, how large the finding is, and what to write. Each kind of finding has a
 * file with these functions, and a row in the table of rules.c.
 */
#ifndef DXT_RULES_RULES_H
#define DXT_RULES_RULES_H

#include "analysis/case.h"
#include "analysis/weigh.h"

/** The subjects of a rule. */
typedef enum dxt_about {
    DXT_ABOUT_MEMBER,    /**< a rank with a row: `a` is its position in the fit */
    DXT_ABOUT_NODE,      /**< a node of several: `a` is its index in the fit */
    DXT_ABOUT_NODE_PAIR, /**< a path between two nodes: into `a` from `b` */
    DXT_ABOUT_PATH,      /**< a cell that the fit does not explain: `a` is its place in the list */
    DXT_ABOUT_WINDOW,    /**< the whole window */
    DXT_ABOUT_RANK       /**< any rank of the window, also without a row: `a` */
} dxt_about;

typedef struct dxt_subject {
    uint32_t a, b;
} dxt_subject;

/** A kind of finding. The functions see the case as it was before any rule ran; only the draft
 *  changes. */
typedef struct dxt_rule {
    dxt_finding_kind kind;
    dxt_about about;
    /** The most findings of a window; 0 = any number. For more, `write` is called with NULL. */
    uint32_t most;
    /** Whether it may apply to any subject; NULL = ask for each subject. */
    bool (*any)(const dxt_case *c);
    bool (*applies)(dxt_case *c, dxt_subject s);
    /** The size. A `wait` of 0 or less is no finding; NaN is a rank that never comes. */
    dxt_size (*size)(dxt_case *c, dxt_subject s);
    /** Write into the finding whom it names, and into the draft which column, row or point is
     * abnormal. The finding is NULL beyond the most, or out of memory. */
    void (*write)(dxt_case *c, dxt_subject s, dxt_finding *finding);
} dxt_rule;

extern const dxt_rule dxt_rule_hot_expert, dxt_rule_late_rank, dxt_rule_early_rank,
    dxt_rule_slow_receiver, dxt_rule_late_node, dxt_rule_slow_node_path, dxt_rule_slow_path,
    dxt_rule_path_stalls, dxt_rule_link_of_paths, dxt_rule_slow_link, dxt_rule_slow_sender,
    dxt_rule_slow_node_link, dxt_rule_wide_stalls, dxt_rule_systemic_skew, dxt_rule_silent_rank;

/** What a rule writes of a rank that waits for all: its row, and its number. */
static inline void dxt_write_rank(dxt_case *c, dxt_subject s, dxt_finding *finding)
{
    uint32_t rank = dxt_case_list_row(c, s.a);
    if (finding) finding->rank = rank;
}

/** Ask all rules in the order of the table. Findings go into the draft of the case. */
void dxt_apply_rules(dxt_case *c);

#endif
