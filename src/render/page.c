/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures of one page. */
#include "render/layout.h"
#include "render/pictures.h"

static dxt_status cairo_backend(const dxt_backend **backend)
{
    const char *why = NULL;
    void *function = dxt_part_function("cairo", DXT_CAIRO_ENTRY, &why);
    if (!function)
        return dxt_fail(DXT_ERR_UNSUPPORTED, "PNG and PDF need the part \"cairo\": %s", why);
    /* ISO C has no cast from an object to a function pointer; POSIX has. */
    dxt_cairo_entry entry;
    *(void **)&entry = function;
    *backend = entry();
    if ((*backend)->version != DXT_BACKEND_VERSION)
        return dxt_fail(DXT_ERR_UNSUPPORTED,
                        "the part \"cairo\" is of another version; install both from one build");
    return DXT_OK;
}

dxt_status dxt_page_backend(dxt_format format, const dxt_backend **backend)
{
    *backend = &dxt_svg_backend;
    return format == DXT_FORMAT_SVG ? DXT_OK : cairo_backend(backend);
}

dxt_status dxt_page_status(dxt_format format, dxt_status status)
{
    if (format == DXT_FORMAT_SVG) return status;
    if (status == DXT_ERR_NO_MEMORY) return dxt_fail_memory(0);
    if (status == DXT_ERR_UNSUPPORTED)
        return dxt_fail(status, "Cairo cannot draw this picture; try SVG, which needs no Cairo");
    return status;
}

dxt_status dxt_write_page(const dxt_job *job)
{
    const dxt_backend *backend;
    dxt_status status = dxt_page_backend(job->format, &backend);
    for (size_t i = 0; status == DXT_OK && i < job->count; i++) {
        dxt_model *model = job->models[i];
        status = dxt_model_cells(model, dxt_block_for(model->ranks, DXT_PICTURE_CELLS));
    }
    if (status != DXT_OK) return status;
    dxt_page page = {.format = job->format, .write = job->write, .context = job->context};
    status = dxt_layout_draw(job->models, job->count, job->heading, backend, &page);
    return dxt_page_status(job->format, status);
}
