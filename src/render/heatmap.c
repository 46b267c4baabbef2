/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "render/pictures.h"

#define MOST_PANELS 64u

static dxt_status check(const dxt_heatmap_panel *panels, size_t count, dxt_format format,
                        const dxt_heatmap_options *options, dxt_write_fn write)
{
    if (!panels || count == 0 || !write)
        return dxt_fail(DXT_ERR_INVALID,
                        "panels and write must not be NULL, and count must be above 0");
    if (count > MOST_PANELS)
        return dxt_fail(DXT_ERR_INVALID, "count is %zu, but a picture has at most %u panels", count,
                        MOST_PANELS);
    if ((unsigned)format > DXT_FORMAT_PDF)
        return dxt_fail(DXT_ERR_INVALID, "format is %d, but must be a dxt_format", (int)format);
    if ((unsigned)options->color > DXT_COLOR_TRUE)
        return dxt_fail(DXT_ERR_INVALID, "options.color is %d, but must be a dxt_color",
                        (int)options->color);
    return DXT_OK;
}

static dxt_status draw(const dxt_job *job)
{
    switch (job->format) {
    case DXT_FORMAT_TERMINAL: return dxt_write_terminal(job);
    case DXT_FORMAT_HTML: return dxt_write_html(job);
    default: return dxt_write_page(job);
    }
}

dxt_status dxt_heatmap_write(const dxt_heatmap_panel *panels, size_t count, dxt_format format,
                             const dxt_heatmap_options *given, dxt_write_fn write, void *context)
{
    dxt_heatmap_options options = {.struct_size = sizeof options};
    dxt_model *models[MOST_PANELS] = {0};
    dxt_text heading = {0};
    if (given && !dxt_take_struct(&options, sizeof options, given, sizeof given->struct_size))
        return dxt_fail_size("options", "dxt_heatmap_options", given->struct_size);
    dxt_status status = check(panels, count, format, &options, write);
    if (status != DXT_OK) return status;
    if (options.heading) dxt_text_clean(&heading, options.heading, false);
    if (heading.failed) status = dxt_fail_memory(0);
    for (size_t i = 0; status == DXT_OK && i < count; i++)
        status = dxt_model_create(&panels[i], &options, &models[i]);
    dxt_job job = {.models = models,
                   .count = count,
                   .format = format,
                   .options = &options,
                   .heading = heading.size > 0 ? heading.data : NULL,
                   .write = write,
                   .context = context};
    if (status == DXT_OK) status = draw(&job);
    for (size_t i = 0; i < count; i++) dxt_model_free(models[i]);
    free(heading.data);
    return status;
}

dxt_status dxt_format_from_name(const char *name, dxt_format *format)
{
    if (!name || !format) return dxt_fail(DXT_ERR_INVALID, "name and format must not be NULL");
    static const struct {
        const char *ending;
        dxt_format format;
    } endings[] = {{".svg", DXT_FORMAT_SVG},  {".png", DXT_FORMAT_PNG},
                   {".pdf", DXT_FORMAT_PDF},  {".html", DXT_FORMAT_HTML},
                   {".htm", DXT_FORMAT_HTML}, {".txt", DXT_FORMAT_TERMINAL}};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t size = strlen(endings[i].ending);
        if (length <= size || strcasecmp(name + length - size, endings[i].ending) != 0) continue;
        *format = endings[i].format;
        return DXT_OK;
    }
    return dxt_fail(DXT_ERR_UNSUPPORTED, "%s: the name must end in .svg, .png, .pdf, .html or .txt",
                    name);
}
