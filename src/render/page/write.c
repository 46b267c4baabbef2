/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a page: the source, and between its pieces the data. */
#include <inttypes.h>
#include <stdlib.h>

#include "render/page/json.h"
#include "render/page/page.h"
#include "render/page/source.h"
#include "render/words.h"

/* Where bytes go. */
struct sink {
    dxt_write_fn write;
    void *context;
    dxt_status status;
};

static void put(struct sink *sink, const void *data, size_t size)
{
    if (sink->status == DXT_OK && size > 0) sink->status = sink->write(sink->context, data, size);
}

static void puts_to(struct sink *sink, const char *string)
{
    put(sink, string, strlen(string));
}

static void put_base64(struct sink *sink, const unsigned char *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char out[4096];
    size_t used = 0;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16;
        if (i + 1 < size) three |= (uint32_t)bytes[i + 1] << 8;
        if (i + 2 < size) three |= bytes[i + 2];
        out[used++] = digits[three >> 18];
        out[used++] = digits[three >> 12 & 63];
        out[used++] = i + 1 < size ? digits[three >> 6 & 63] : '=';
        out[used++] = i + 2 < size ? digits[three & 63] : '=';
        if (used < sizeof out) continue;
        put(sink, out, used);
        used = 0;
    }
    put(sink, out, used);
}

static void put_part(struct sink *sink, const char *class, const dxt_page_part *part)
{
    puts_to(sink, "<script type=\"text/plain\" class=\"");
    puts_to(sink, class);
    puts_to(sink, part->packed ? "\" data-coding=\"deflate-raw\">" : "\" data-coding=\"plain\">");
    put_base64(sink, part->bytes, part->size);
    puts_to(sink, "</script>\n");
}

/* ---- what the page knows of itself ---- */

static void put_left_out(dxt_text *text, const dxt_page *page)
{
    const char *comma = "";
    dxt_text_puts(text, ",\"left_out\":[");
    if (page->cells.count < page->windows) {
        dxt_text_printf(text,
                        "\"%" PRIu64 " windows were read; the cells of %zu of them are here: those "
                        "around changes, and of the others some at even distances\"",
                        page->windows, page->cells.count);
        comma = ",";
    }
    for (uint32_t i = 0; i < page->run_count; i++) {
        uint32_t ranks = page->runs[i]->ranks, side = DXT_PAGE_SIDE, block = 1;
        while ((ranks + block - 1) / block > side) block *= 2;
        if (block == 1) continue;
        dxt_text_printf(text,
                        "%s\"of %" PRIu32 " ranks the longest wait in each %" PRIu32 " × %" PRIu32
                        " cells is here, and whole rows and columns of what is named\"",
                        comma, ranks, block, block);
        break;
    }
    dxt_text_puts(text, "]");
    if (page->options.most_raw)
        dxt_text_printf(text, ",\"raw\":%zu,\"read\":%" PRIu64, page->raw.count, page->windows);
}

/* The windows of an operator, and how its parts are numbered. */
static void put_phase(dxt_text *text, const dxt_page *page, uint32_t run, uint32_t index,
                      size_t *timelines)
{
    const dxt_page_phase *phase = &page->runs[run]->phases[index];
    const char *comma = "";
    dxt_text_printf(text, "%s{\"name\":", index ? "," : "");
    dxt_page_string(text, phase->name);
    dxt_text_puts(text, ",\"windows\":[");
    for (size_t i = 0; i < page->cells.count; i++) {
        const dxt_page_item *item = &page->cells.items[i];
        if (item->run != run || item->phase != index) continue;
        dxt_text_puts(text, comma);
        dxt_text_puts(text, item->json);
        dxt_text_printf(text, ",\"ordinal\":%" PRIu64 ",\"part\":%zu}", item->ordinal, i);
        comma = ",";
    }
    dxt_text_puts(text, "]");
    if (phase->timeline) {
        dxt_text_puts(text, ",\"timeline\":");
        dxt_text_puts(text, phase->timeline);
        dxt_text_printf(text, ",\"part\":%zu}", page->cells.count + (*timelines)++);
    }
    dxt_text_puts(text, "}");
}

static dxt_status make_about(const dxt_page *page, dxt_page_part *part)
{
    dxt_text text = {0};
    size_t timelines = 0;
    dxt_text_puts(&text, "{\"v\":1,\"title\":");
    dxt_page_string(&text, page->title);
    dxt_text_puts(&text, ",\"advice\":");
    dxt_page_verbatim(&text, page->advice);
    if (page->options.has_start) dxt_text_printf(&text, ",\"start\":%" PRId64, page->options.start);
    dxt_text_printf(&text, ",\"first\":\"%s\"", page->options.timeline ? "timeline" : "map");
    put_left_out(&text, page);
    dxt_text_puts(&text, ",\"runs\":[");
    for (uint32_t i = 0; i < page->run_count; i++) {
        const dxt_page_run *run = page->runs[i];
        dxt_text_printf(&text, "%s{%s,\"lines\":[%s],\"operators\":[", i ? "," : "",
                        run->places.data, run->lines.data ? run->lines.data : "");
        for (uint32_t p = 0; p < run->phase_count; p++) put_phase(&text, page, i, p, &timelines);
        dxt_text_puts(&text, "]}");
    }
    dxt_text_puts(&text, "]}");
    if (text.failed) {
        free(text.data);
        return dxt_fail_memory(0);
    }
    return dxt_page_pack(page, text.data, text.size, part);
}

/* ---- the page ---- */

static void put_begin(struct sink *sink, const char *title, const char *connect)
{
    dxt_text text = {0};
    puts_to(sink, dxt_page_source_head);
    puts_to(sink, dxt_page_source_policy);
    puts_to(sink, connect);
    puts_to(sink, dxt_page_source_title);
    dxt_text clean = {0};
    dxt_text_clean(&clean, title, false);
    if (!clean.failed) dxt_text_escape(&text, clean.data);
    if (sink->status == DXT_OK && (clean.failed || text.failed)) sink->status = dxt_fail_memory(0);
    if (sink->status == DXT_OK && text.data) puts_to(sink, text.data);
    free(clean.data);
    free(text.data);
    puts_to(sink, dxt_page_source_body);
}

/* What a page takes with its parts as they are. */
static size_t size_of(const dxt_page *page, const dxt_page_part *about)
{
    size_t size = strlen(dxt_page_source_body) + strlen(dxt_page_source_tail) +
                  strlen(dxt_page_source_title) + strlen(dxt_page_source_head) + 4096;
    size += dxt_page_base64_size(about->size) + page->cells.bytes;
    for (uint32_t i = 0; i < page->run_count; i++)
        for (uint32_t p = 0; p < page->runs[i]->phase_count; p++)
            size += dxt_page_base64_size(page->runs[i]->phases[p].part.size) + 100;
    return size;
}

/* Take windows off until it fits. */
static dxt_status fit(dxt_page *page, dxt_page_part *about)
{
    dxt_status status = make_about(page, about);
    while (status == DXT_OK && size_of(page, about) > page->options.most_bytes) {
        bool thinned = dxt_shelf_thin(&page->cells);
        free(about->bytes);
        if (!thinned)
            return dxt_fail(DXT_ERR_LIMIT,
                            "one window alone needs more than most_bytes, %zu; allow more",
                            page->options.most_bytes);
        status = make_about(page, about);
    }
    return status;
}

dxt_status dxt_page_write(dxt_page *page, dxt_write_fn write, void *context)
{
    dxt_page_part about;
    if (!page || !write || page->cells.count == 0)
        return dxt_fail(DXT_ERR_INVALID,
                        "page and write must not be NULL; call dxt_page_add() first");
    dxt_status status = fit(page, &about);
    if (status != DXT_OK) return status;
    struct sink sink = {.write = write, .context = context};
    put_begin(&sink, page->title, "; connect-src 'none'");
    put_part(&sink, "about", &about);
    for (size_t i = 0; i < page->cells.count; i++)
        put_part(&sink, "part", &page->cells.items[i].part);
    for (uint32_t i = 0; i < page->run_count; i++)
        for (uint32_t p = 0; p < page->runs[i]->phase_count; p++)
            if (page->runs[i]->phases[p].timeline)
                put_part(&sink, "part", &page->runs[i]->phases[p].part);
    for (size_t i = 0; i < page->raw.count; i++) put_part(&sink, "raw", &page->raw.items[i].part);
    puts_to(&sink, dxt_page_source_tail);
    free(about.bytes);
    return sink.status;
}

dxt_status dxt_page_live(const char *about, dxt_write_fn write, void *context)
{
    struct sink sink = {.write = write, .context = context};
    if (!write) return dxt_fail(DXT_ERR_INVALID, "write must not be NULL");
    const char *json = about ? about : "{}";
    dxt_page_part part = {.bytes = (void *)(uintptr_t)json, .size = strlen(json)};
    put_begin(&sink, "DeepXTrace", "; connect-src 'self'");
    put_part(&sink, "about live", &part);
    puts_to(&sink, dxt_page_source_tail);
    return sink.status;
}

const char *dxt_page_policy(void)
{
    /* The page itself says the same again. */
    return dxt_page_source_policy;
}
