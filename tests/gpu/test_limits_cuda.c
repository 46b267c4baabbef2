/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine "cuda" cannot do it refuses before it looks for a GPU. */
#include <stdio.h>
#include <string.h>

#include <deepxtrace/ep.h>

static dxt_ep_config usual(void)
{
    return (dxt_ep_config){.struct_size = sizeof(dxt_ep_config),
                           .engine = "cuda",
                           .ranks = 8,
                           .max_tokens = 1024,
                           .hidden = 8192,
                           .experts = 1024,
                           .max_topk = 16,
                           .fd = -1};
}

static int failed;

static void expect(const char *what, dxt_ep_config config, dxt_status want)
{
    size_t size = 0;
    dxt_status status = dxt_ep_buffer_size(&config, &size);
    if (status == want && (status == DXT_OK) == (size > 0)) return;
    fprintf(stderr, "%s: status %d and %zu bytes, not status %d (%s)\n", what, (int)status, size,
            (int)want, dxt_ep_error());
    failed = 1;
}

int main(void)
{
    dxt_ep_config config = usual();
    expect("the largest shape", config, DXT_OK);
    config.ranks = 16;
    expect("16 ranks", config, DXT_ERR_LIMIT);
    config = usual();
    config.max_tokens = 1025;
    expect("1025 tokens", config, DXT_ERR_LIMIT);
    config = usual();
    config.hidden = 8320;
    expect("8320 channels", config, DXT_ERR_LIMIT);
    config = usual();
    config.experts = 2048;
    expect("2048 experts", config, DXT_ERR_LIMIT);
    config = usual();
    config.max_topk = 17;
    expect("17 routes", config, DXT_ERR_LIMIT);
    config = usual();
    config.ranks = 1;
    config.timeout_ns = 1000000;
    dxt_ep *ep = NULL;
    dxt_status status = dxt_ep_create(&config, &ep);
    if (status != DXT_ERR_INVALID || !strstr(dxt_ep_error(), "timeout_ns")) {
        fprintf(stderr, "a time-out of 1 ms: status %d (%s)\n", (int)status, dxt_ep_error());
        failed = 1;
    }
    printf("%d failed\n", failed);
    return failed;
}
