/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What counts as a finding. A rule is about a rank, a node, a path, … and answers three questions
 * of one: does it apply, how large is it, what is written. Each kind of finding has its file with
 * these three functions, and its row in the table of rules.c.
 */
#ifndef DXT_RULES_RULES_H
#define DXT_RULES_RULES_H

#include "analysis/case.h"
#include "analysis/weigh.h"

/** What a rule is about: which subjects it is asked of. */
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

/** A kind of finding. The functions see the case as it is before any rule has run, but for what is
 *  in the draft. */
typedef struct dxt_rule {
    dxt_finding_kind kind;
    dxt_about about;
    /** Findings of a window at most; 0 = any number. Of more, `write` is called without one. */
    uint32_t most;
    /** Whether it may apply to anything; NULL = ask of each subject. */
    bool (*any)(const dxt_case *c);
    bool (*applies)(dxt_case *c, dxt_subject s);
    /** How large it is; a `wait` of 0 or less is no finding, NaN one that waits for ever. */
    dxt_size (*size)(dxt_case *c, dxt_subject s);
    /** Say in the finding (NULL: beyond the most, or no memory) whom it names, and in the draft
     * which column, row or point is abnormal. */
    void (*write)(dxt_case *c, dxt_subject s, dxt_finding *finding);
} dxt_rule;

extern const dxt_rule dxt_rule_hot_expert, dxt_rule_late_rank, dxt_rule_early_rank,
    dxt_rule_slow_receiver, dxt_rule_late_node, dxt_rule_slow_node_path, dxt_rule_slow_path,
    dxt_rule_path_stalls, dxt_rule_link_of_paths, dxt_rule_slow_link, dxt_rule_slow_sender,
    dxt_rule_slow_node_link, dxt_rule_wide_stalls, dxt_rule_systemic_skew, dxt_rule_silent_rank;

/** Ask all rules, in the order of the table; findings go into the draft of the case. */
void dxt_apply_rules(dxt_case *c);

#endif
