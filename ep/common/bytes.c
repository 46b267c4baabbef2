/* SPDX-License-Identifier: Apache-2.0 */
#include "common/engine.h"
#include "common/fp8.h"
#include "common/logfmt.h"

size_t dxt_ep_token_bytes(const dxt_ep_config *config, dxt_ep_dispatch_format format)
{
    if (format == DXT_EP_BF16) return (size_t)config->hidden * sizeof(uint16_t);
    return config->hidden + config->hidden / DXT_EP_BLOCK * sizeof(float);
}

size_t dxt_ep_output_bytes(const dxt_ep_config *config, dxt_ep_combine_format format)
{
    if (format == DXT_EP_COMBINE_BF16) return (size_t)config->hidden * sizeof(uint16_t);
    return config->hidden / DXT_EP_BLOCK * sizeof(dxt_logfmt_block);
}
