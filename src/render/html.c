/* SPDX-License-Identifier: Apache-2.0 */
/* A page that stands alone: the SVG of every panel and its cells as text. Nothing is fetched. */
#include <inttypes.h>
#include <math.h>

#include "render/layout.h"
#include "render/pictures.h"

static const char head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'\">\n"
    "<style>\n"
    ":root { color-scheme: light dark; --paper: #ffffff; --text: #1b1f24; --muted: #59626d;\n"
    "  --rule: #8c959f; --silent: #eceef1; --hatch: #b4bbc4; --mark: #12256e; --on-mark: #ffffff "
    "}\n"
    "@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --text: #e6e9ec;\n"
    "  --muted: #a3abb5; --rule: #6b747e; --silent: #262b31; --hatch: #4a525c;\n"
    "  --mark: #a9c1ff; --on-mark: #0c1430 } }\n"
    "body { margin: 0; background: var(--paper); color: var(--text);\n"
    "  font: 15px/1.45 -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, 'DejaVu Sans', "
    "sans-serif }\n"
    "main { max-width: 60rem; margin: 0 auto; padding: 1rem }\n"
    "h1 { font-size: 1.4rem; margin: .5rem 24px }\n"
    "section { margin-bottom: 2rem }\n"
    "svg { display: block; max-width: 100%; height: auto }\n"
    "details { margin: 0 24px }\n"
    "summary { cursor: pointer; color: var(--muted) }\n"
    "pre { overflow: auto; max-height: 30rem; padding: .75rem; font-size: 12px; tab-size: 9;\n"
    "  border: 1px solid var(--rule); border-radius: 4px; background: var(--paper) }\n"
    "</style>\n<title>";

static dxt_status write_head(const dxt_job *job)
{
    dxt_text text = {0};
    dxt_text_puts(&text, head);
    dxt_text_escape(&text, job->heading ? job->heading : job->models[0]->title);
    dxt_text_puts(&text, "</title>\n</head>\n<body>\n<main>\n");
    if (job->heading) {
        dxt_text_puts(&text, "<h1>");
        dxt_text_escape(&text, job->heading);
        dxt_text_puts(&text, "</h1>\n");
    }
    return dxt_text_flush(&text, job->write, job->context);
}

static void put_ranks(dxt_text *text, const dxt_model *model, uint32_t cell)
{
    uint32_t first = cell * model->block;
    uint32_t last =
        model->ranks - first < model->block ? model->ranks - 1 : first + model->block - 1;
    dxt_text_printf(text, "%" PRIu32, first);
    if (last > first) dxt_text_printf(text, "–%" PRIu32, last);
}

/* Tab-separated, as a spreadsheet takes it. */
static void put_cells(dxt_text *text, const dxt_model *model)
{
    dxt_text_puts(text, "waiting\\awaited");
    for (uint32_t column = 0; column < model->side; column++) {
        dxt_text_puts(text, "\t");
        put_ranks(text, model, column);
    }
    for (uint32_t row = 0; row < model->side; row++) {
        dxt_text_puts(text, "\n");
        put_ranks(text, model, row);
        for (uint32_t column = 0; column < model->side; column++) {
            double value = dxt_model_shown(model, row, column);
            dxt_text_puts(text, "\t");
            if (isnan(value))
                dxt_text_puts(text, "–");
            else
                dxt_text_fixed(text, value, 3);
        }
    }
}

static dxt_status write_panel(const dxt_job *job, dxt_model *model)
{
    dxt_page page = {
        .format = DXT_FORMAT_SVG, .embedded = true, .write = job->write, .context = job->context};
    dxt_text text = {0};
    dxt_text_puts(&text, "<section>\n");
    dxt_status status = dxt_text_flush(&text, job->write, job->context);
    if (status == DXT_OK)
        status = dxt_model_cells(model, dxt_block_for(model->ranks, DXT_PICTURE_CELLS));
    if (status == DXT_OK) status = dxt_layout_draw(&model, 1, NULL, &dxt_svg_backend, &page);
    if (status != DXT_OK) return status;
    dxt_text_puts(&text, "<details>\n<summary>The matrix as text: ");
    if (model->block > 1) dxt_text_puts(&text, "longest in each block, ");
    dxt_text_printf(&text, "%s, tab-separated</summary>\n<pre>", dxt_model_quantity(model));
    put_cells(&text, model);
    dxt_text_puts(&text, "</pre>\n</details>\n</section>\n");
    return dxt_text_flush(&text, job->write, job->context);
}

dxt_status dxt_write_html(const dxt_job *job)
{
    dxt_status status = write_head(job);
    for (size_t i = 0; status == DXT_OK && i < job->count; i++)
        status = write_panel(job, job->models[i]);
    if (status != DXT_OK) return status;
    dxt_text text = {0};
    dxt_text_puts(&text, "</main>\n</body>\n</html>\n");
    return dxt_text_flush(&text, job->write, job->context);
}
