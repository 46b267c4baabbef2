/* SPDX-License-Identifier: Apache-2.0 */
/* Every rank, at the end of a window, reads its counters and sends them to rank 0. */
#include "session/state.h"

#include "base/base.h"
#include "gather/attempt.h"
#include "gather/gather.h"

/* Read counters from outside. The callback must not have damaged the block. */
static dxt_status read_foreign(dxt_session *s)
{
    dxt_snapshot *snapshot = s->snapshot;
    dxt_probe *data = snapshot->data;
    snapshot->time_ns = dxt_now_ns();
    dxt_status status = s->config.snapshot(s->config.snapshot_context, snapshot);
    if (status != DXT_OK) return status;
    if (snapshot->data != data || data->layout != DXT_PROBE_LAYOUT ||
        data->operators != s->operators || data->sources != s->ranks ||
        data->ticks_per_second > DXT_MAIL_MAX_RATE || snapshot->time_ns < 0 ||
        snapshot->local_experts > DXT_MAX_LOCAL_EXPERTS)
        return DXT_ERR_INVALID;
    return DXT_OK;
}

static dxt_status read_counters(dxt_session *s)
{
    s->snapshot->local_experts = s->config.local_experts;
    s->snapshot->tokens = NULL;
    s->snapshot->tokens_count = 0;
    s->snapshot->mix = s->config.mix;
    return s->config.probe ? dxt_probe_snapshot(s->config.probe, s->snapshot) : read_foreign(s);
}

/* Of an operator, from the counters just read. Foreign ones know what was issued at most. */
static dxt_mail_first count_up_to_here(const dxt_session *s, uint32_t index)
{
    const dxt_operator_counters *all = dxt_probe_operator(s->snapshot->data, index);
    return (dxt_mail_first){.ops = all->ops > 0 ? all->ops : all->issued,
                            .wait = dxt_probe_cell(s->snapshot->data, index, 0)->wait_ticks_sum};
}

/* Join the mixes of two parts of a window; unknown if one is. Their order matters. */
static uint64_t join_mix(uint64_t first, uint64_t rest)
{
    if (first == 0 || rest == 0) return 0;
    uint64_t joined = (first ^ (rest >> 29)) * UINT64_C(0x9e3779b97f4a7c15) + rest;
    return joined > 0 ? joined : 1;
}

void dxt_session_note_first(dxt_session *s)
{
    if (!s->ended) return;
    s->ended = false;
    if (read_counters(s) != DXT_OK) return;
    for (uint32_t o = 0; o < s->operators; o++) {
        dxt_mail_first now = count_up_to_here(s, o);
        if (now.ops < s->end[o].ops || now.wait < s->end[o].wait) continue;
        s->first[o] = (dxt_mail_first){now.ops - s->end[o].ops, now.wait - s->end[o].wait};
    }
    s->mix = s->snapshot->mix;
    s->noted = true;
}

static dxt_mail_head head_of(dxt_session *s, uint64_t sequence, bool leaving)
{
    int64_t realtime_ns = dxt_realtime_ns(); /* a clock may say that it is before 1970 */
    dxt_mail_head head = {.rank = s->rank,
                          .ranks = s->ranks,
                          .operators = s->operators,
                          .sequence = sequence,
                          .time_ns = s->snapshot->time_ns,
                          .realtime_ns = realtime_ns > 0 ? realtime_ns : 0,
                          .node = s->config.node,
                          .leaving = leaving,
                          .run_delay_ns = dxt_delay_read(&s->delay),
                          .pid = s->device.pid,
                          .global_rank = s->device.rank,
                          .gpu = s->device.gpu};
    dxt_mail_set_text(head.host, sizeof head.host, s->device.host);
    dxt_mail_set_text(head.uuid, sizeof head.uuid, s->device.uuid);
    dxt_mail_set_text(head.pci, sizeof head.pci, s->device.pci);
    memcpy(head.instance, s->instance, sizeof head.instance);
    return head;
}

/* Besides what is new, what was new in the mail before: that one may not be read in time. */
static size_t add_durations(dxt_session *s)
{
    uint64_t told[DXT_MAX_OPERATORS];
    memcpy(told, s->told, sizeof told);
    size_t size =
        dxt_mail_add_durations(s->mail, s->config.probe, s->told_before, told, s->scratch);
    memcpy(s->told_before, s->told, sizeof told);
    memcpy(s->told, told, sizeof told);
    return size;
}

dxt_status dxt_session_publish(dxt_session *s, uint64_t sequence, bool leaving)
{
    /* A counter that can no longer be read must not delay the end of the program. */
    dxt_status status = leaving ? DXT_OK : read_counters(s);
    if (status != DXT_OK) return status;
    if (s->noted) s->snapshot->mix = join_mix(s->mix, s->snapshot->mix);
    const dxt_mail_head head = head_of(s, sequence, leaving);
    size_t size = dxt_mail_encode(s->mail, &head, s->snapshot, s->first);
    if (s->keeps_durations) size = add_durations(s);
    for (uint32_t o = 0; o < s->operators; o++) {
        s->first[o] = (dxt_mail_first){0, 0};
        s->end[o] = count_up_to_here(s, o);
    }
    s->noted = false;
    s->ended = true;
    return dxt_gather_try_publish(s->config.gather, sequence, s->mail, size);
}

dxt_status dxt_session_cannot_publish(const dxt_session *s, dxt_status status)
{
    return dxt_fail(status < 0 ? status : DXT_ERR_IO,
                    "rank %u cannot publish its counters (up to %zu bytes): %s", s->rank,
                    s->mail_size, dxt_status_string(status));
}
