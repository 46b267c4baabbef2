/* SPDX-License-Identifier: Apache-2.0 */
/* A caller with the probe compiled out; test_probe.c and probe_compiled_out.cmake look at it. */
#define DXT_PROBE_DISABLE
#include <deepxtrace/probe.h>

int probe_disabled_operation(dxt_probe *probe);
int probe_absent_operation(dxt_probe *probe);

int probe_disabled_operation(dxt_probe *probe)
{
    dxt_probe_op op, other;
    dxt_probe_begin(&op, probe, DXT_DISPATCH);
    dxt_probe_begin(&other, probe, DXT_DISPATCH);
    for (uint32_t source = 0; source < 4; source++) {
        dxt_probe_wait(&op, source, dxt_probe_elapsed(&op), 10);
        dxt_probe_wait_shared(&other, source, dxt_probe_until(&op, 1000), 10);
    }
    dxt_probe_timeout(&op, 3);
    dxt_probe_join(&op, &other);
    dxt_probe_end(&op);
    return 1;
}

/* The same without; another value, so that the two are not merged into one. */
int probe_absent_operation(dxt_probe *probe)
{
    (void)probe;
    return 2;
}
