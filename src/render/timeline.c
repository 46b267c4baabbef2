/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks over time: a row is a rank, a column a window. Who may be drawn, and by whom. */
#include "render/timeline.h"

#include <inttypes.h>

#include "render/model.h"

#define MOST_PANELS 64u
#define MOST_WINDOWS 4096u

static dxt_status check_panel(const dxt_timeline_panel *panel)
{
    if (!panel->values || !panel->index)
        return dxt_fail(DXT_ERR_INVALID, "panel.values and panel.index must not be NULL");
    if (panel->ranks < 1 || panel->ranks > DXT_MAX_RANKS)
        return dxt_fail(DXT_ERR_INVALID, "panel.ranks is %" PRIu32 ", but must be 1 to %u",
                        panel->ranks, DXT_MAX_RANKS);
    if (panel->windows < 1 || panel->windows > MOST_WINDOWS)
        return dxt_fail(DXT_ERR_INVALID, "panel.windows is %zu, but must be 1 to %u",
                        panel->windows, MOST_WINDOWS);
    if (panel->strip_count > DXT_MOST_STRIPS)
        return dxt_fail(DXT_ERR_INVALID, "panel.strip_count is %zu, but must be 0 to %u",
                        panel->strip_count, DXT_MOST_STRIPS);
    if (panel->strip_count && !panel->strips)
        return dxt_fail(DXT_ERR_INVALID,
                        "panel.strips must not be NULL if panel.strip_count is above 0");
    for (size_t i = 0; i < panel->mark_count; i++)
        if (!panel->marks || panel->marks[i].rank >= panel->ranks ||
            panel->marks[i].first > panel->marks[i].last || panel->marks[i].last >= panel->windows)
            return dxt_fail(DXT_ERR_INVALID,
                            "panel.marks[%zu] must be a rank and windows of the timeline", i);
    return DXT_OK;
}

static dxt_status check(const dxt_timeline_panel *panels, size_t count, dxt_format format,
                        dxt_write_fn write)
{
    if (!panels || count == 0 || count > MOST_PANELS || !write)
        return dxt_fail(DXT_ERR_INVALID,
                        "panels and write must not be NULL, and count must be 1 to %u",
                        MOST_PANELS);
    if ((unsigned)format > DXT_FORMAT_PDF)
        return dxt_fail(DXT_ERR_INVALID, "format is %d, but must be a dxt_format", (int)format);
    if (format == DXT_FORMAT_HTML)
        return dxt_fail(
            DXT_ERR_UNSUPPORTED,
            "dxt_timeline_write() draws text, SVG, PNG and PDF; for HTML use dxt_page_timeline()");
    dxt_status status = DXT_OK;
    for (size_t p = 0; p < count && status == DXT_OK; p++) status = check_panel(&panels[p]);
    return status;
}

dxt_status dxt_timeline_write(const dxt_timeline_panel *panels, size_t count, dxt_format format,
                              const dxt_heatmap_options *given, dxt_write_fn write, void *context)
{
    dxt_heatmap_options options = {.struct_size = sizeof options};
    if (given && !dxt_take_struct(&options, sizeof options, given, sizeof given->struct_size))
        return dxt_fail_size("options", "dxt_heatmap_options", given->struct_size);
    dxt_status status = check(panels, count, format, write);
    if (status != DXT_OK) return status;
    if (format == DXT_FORMAT_TERMINAL)
        return dxt_write_timeline_text(panels, count, &options, write, context);
    return dxt_write_timeline_page(panels, count, &options, format, write, context);
}
