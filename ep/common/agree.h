/* SPDX-License-Identifier: Apache-2.0 */
/* What the ranks of a group must have given alike. */
#ifndef DXT_EP_COMMON_AGREE_H
#define DXT_EP_COMMON_AGREE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/engine.h"

/** Words that are agreed upon. */
#define DXT_EP_AGREED 7

/** Agree on a configuration with the other ranks: each word is settled by whoever comes first.
 *
 * @param agreed  [DXT_EP_AGREED] in memory that all ranks share, zeros at first.
 * @param magic   Of the engine, and the version of its layout. */
static inline dxt_status dxt_ep_agree(_Atomic uint64_t *agreed, uint64_t magic,
                                      const dxt_ep_config *config)
{
    const struct {
        const char *name;
        uint64_t value;
    } words[DXT_EP_AGREED] = {{"magic number", magic},
                              {"ranks", config->ranks},
                              {"max_tokens", config->max_tokens},
                              {"hidden", config->hidden},
                              {"experts", config->experts},
                              {"max_topk", config->max_topk},
                              {"timeout_ns", (uint64_t)config->timeout_ns}};
    for (size_t i = 0; i < DXT_EP_AGREED; i++) {
        uint64_t group = 0;
        if (atomic_compare_exchange_strong(&agreed[i], &group, words[i].value)) continue;
        if (group == words[i].value) continue;
        if (i == 0)
            return dxt_ep_fail(DXT_ERR_INVALID,
                               "the memory must be zeroed before the first rank joins, and all "
                               "ranks must use one version of the library");
        return dxt_ep_fail(
            DXT_ERR_INVALID,
            "config.%s must be the same on all ranks; it is %llu here, and %llu on others",
            words[i].name, (unsigned long long)words[i].value, (unsigned long long)group);
    }
    return DXT_OK;
}

#endif
