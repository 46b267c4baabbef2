/* SPDX-License-Identifier: Apache-2.0 */
/* A stranger's program on libdeepxtrace-ep alone. */
#include <stdio.h>

#include <deepxtrace/ep.h>

int main(void)
{
    dxt_ep_config config = {.struct_size = sizeof config,
                            .ranks = 2,
                            .max_tokens = 128,
                            .hidden = 1024,
                            .experts = 8,
                            .max_topk = 4};
    size_t size = 0;
    if (dxt_ep_buffer_size(&config, &size) != DXT_OK || size == 0 || size % 4096 != 0) {
        fprintf(stderr, "size %zu: %s\n", size, dxt_ep_error());
        return 1;
    }
    return 0;
}
