/* SPDX-License-Identifier: Apache-2.0 */
/* What to do next, a line for each kind of finding. The long form is in docs/diagnosis.md, "At 3
 * a.m.". */
#include <deepxtrace/report.h>

/* In the order of dxt_finding_kind. */
#define EACH(X)                                                                                  \
    X("late_rank", "look at that rank's own work before the operation: clocks, another process " \
                   "on its GPU, a host thread that stalls")                                      \
    X("early_rank", "do nothing: it has less work than the others")                              \
    X("slow_receiver", "look at its receiving side: NIC, PCIe link, incast")                     \
    X("hot_expert", "rebalance or replicate the expert: the hardware is fine")                   \
    X("slow_path", "look at the path between the two: NVLink, cable, switch port")               \
    X("late_node", "look at the node or its uplink, not at its ranks one by one")                \
    X("slow_node_path", "look at the path between the two nodes")                                \
    X("systemic_skew", "look at nobody in particular: batches are uneven, or compute varies")    \
    X("silent_rank", "attach a debugger to that process if the job stands still")                \
    X("slow_link", "look at the link of that rank: NIC, cable, switch port")                     \
    X("path_stalls", "look at the network: many paths stall, none in particular")                \
    X("slow_node_link", "look at the uplink of the node, and the switch port behind it")

const char *dxt_finding_advice(dxt_finding_kind kind)
{
#define SENTENCE(name, sentence) sentence,
    static const char *const sentences[] = {EACH(SENTENCE)};
    _Static_assert(sizeof sentences / sizeof sentences[0] == DXT_SLOW_NODE_LINK + 1,
                   "a sentence for each kind");
    return (unsigned)kind <= DXT_SLOW_NODE_LINK ? sentences[kind] : "see docs/diagnosis.md";
}

const char *dxt_report_advice_json(void)
{
#define MEMBER(name, sentence) ",\"" name "\":\"" sentence "\""
    return "{\"v\":1" EACH(MEMBER) "}";
}
