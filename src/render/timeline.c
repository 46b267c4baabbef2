/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks over time: a row is a rank, a column a window. Who may be drawn, and by whom. */
#include "render/timeline.h"

#include <inttypes.h>

#include "render/model.h"

#define MOST_PANELS 64u
#define MOST_WINDOWS 4096u

static dxt_status check_panel(const dxt_timeline_panel *panel)
{
    if (!panel->values || !panel->index || panel->ranks < 1 || panel->ranks > DXT_MAX_RANKS ||
        panel->windows < 1 || panel->windows > MOST_WINDOWS)
        return dxt_fail(DXT_ERR_INVALID, "a timeline of %" PRIu32 " ranks and %zu windows",
                        panel->ranks, panel->windows);
    if (panel->strip_count > DXT_MOST_STRIPS || (panel->strip_count && !panel->strips))
        return dxt_fail(DXT_ERR_INVALID, "a timeline of %zu strips cannot be drawn",
                        panel->strip_count);
    for (size_t i = 0; i < panel->mark_count; i++)
        if (!panel->marks || panel->marks[i].rank >= panel->ranks ||
            panel->marks[i].first > panel->marks[i].last || panel->marks[i].last >= panel->windows)
            return dxt_fail(DXT_ERR_INVALID, "timeline: mark %zu is outside the picture", i);
    return DXT_OK;
}

static dxt_status check(const dxt_timeline_panel *panels, size_t count, dxt_format format,
                        dxt_write_fn write)
{
    if (!panels || count == 0 || count > MOST_PANELS || !write)
        return dxt_fail(DXT_ERR_INVALID,
                        "timeline: there must be 1 to %u panels, and write must not be NULL",
                        MOST_PANELS);
    if ((unsigned)format > DXT_FORMAT_PDF)
        return dxt_fail(DXT_ERR_INVALID, "heat map format %d does not exist", (int)format);
    if (format == DXT_FORMAT_HTML)
        return dxt_fail(DXT_ERR_UNSUPPORTED, "a timeline is drawn as text, SVG, PNG or PDF only");
    dxt_status status = DXT_OK;
    for (size_t p = 0; p < count && status == DXT_OK; p++) status = check_panel(&panels[p]);
    return status;
}

dxt_status dxt_timeline_write(const dxt_timeline_panel *panels, size_t count, dxt_format format,
                              const dxt_heatmap_options *given, dxt_write_fn write, void *context)
{
    dxt_heatmap_options options = {.struct_size = sizeof options};
    if (given && !dxt_take_struct(&options, sizeof options, given, sizeof given->struct_size))
        return dxt_fail(DXT_ERR_INVALID,
                        "heat map: options->struct_size is %zu, which is too small",
                        given->struct_size);
    dxt_status status = check(panels, count, format, write);
    if (status != DXT_OK) return status;
    if (format == DXT_FORMAT_TERMINAL)
        return dxt_write_timeline_text(panels, count, &options, write, context);
    return dxt_write_timeline_page(panels, count, &options, format, write, context);
}
