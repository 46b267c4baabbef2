/* SPDX-License-Identifier: Apache-2.0 */
/* A page while windows are added to it. write.c makes bytes of it. */
#include "render/page/page.h"

#include <math.h>
#include <stdlib.h>

#include "render/page/json.h"
#include "render/words.h"
#include "system/text.h"

#define BYTES_USUAL ((size_t)4 << 20)
#define WINDOWS_USUAL 200u
/* Runs and operators of each at most; of more the windows are left out, and this is said. */
#define MOST_RUNS 64u
#define MOST_PHASES 16u

static char *copy(const char *string, dxt_status *status)
{
    char *made = string ? strdup(string) : NULL;
    if (string && !made) *status = dxt_fail_memory(strlen(string) + 1);
    return made;
}

dxt_status dxt_page_create(const dxt_page_options *given, dxt_page **page)
{
    dxt_page_options options = {.struct_size = sizeof options};
    if (!page) return dxt_fail(DXT_ERR_INVALID, "page must not be NULL");
    if (given && !dxt_take_struct(&options, sizeof options, given, sizeof given->struct_size))
        return dxt_fail_size("options", "dxt_page_options", given->struct_size);
    dxt_page *made = calloc(1, sizeof *made);
    if (!made) return dxt_fail_memory(sizeof *made);
    dxt_status status = DXT_OK;
    made->options = options;
    made->title = copy(options.title ? options.title : "DeepXTrace", &status);
    made->advice = copy(options.advice ? options.advice : "{}", &status);
    if (!made->options.most_bytes) made->options.most_bytes = BYTES_USUAL;
    if (!made->options.most_windows) made->options.most_windows = WINDOWS_USUAL;
    if (status == DXT_OK)
        *page = made;
    else
        dxt_page_free(made);
    return status;
}

static void free_run(dxt_page_run *run)
{
    for (uint32_t i = 0; i < run->phase_count; i++) {
        dxt_page_phase *phase = &run->phases[i];
        free(phase->name);
        free(phase->marks);
        free(phase->timeline);
        free(phase->part.bytes);
    }
    free(run->places.data);
    free(run->lines.data);
    free(run->instance);
    free(run->group);
    free(run->case_name);
    free(run->source);
    free(run);
}

void dxt_page_free(dxt_page *page)
{
    if (!page) return;
    for (uint32_t i = 0; i < page->run_count; i++) free_run(page->runs[i]);
    free(page->runs);
    dxt_shelf_free(&page->cells);
    dxt_shelf_free(&page->raw);
    free(page->title);
    free(page->advice);
    free(page);
}

/* ---- runs and operators ---- */

static bool continues(const dxt_page_run *run, const dxt_window *window)
{
    return run->ranks == window->ranks && dxt_same_text(run->instance, window->instance) &&
           dxt_same_text(run->group, window->group) &&
           dxt_same_text(run->case_name, window->case_name) &&
           dxt_same_text(run->source, window->source);
}

static dxt_status make_run(const dxt_window *window, dxt_page_run **made)
{
    dxt_status status = DXT_OK;
    dxt_page_run *run = calloc(1, sizeof *run);
    if (!run) return dxt_fail_memory(sizeof *run);
    run->ranks = window->ranks;
    run->instance = copy(window->instance, &status);
    run->group = copy(window->group, &status);
    run->case_name = copy(window->case_name, &status);
    run->source = copy(window->source, &status);
    dxt_page_places(&run->places, window);
    if (status == DXT_OK && run->places.failed) status = dxt_fail_memory(0);
    if (status == DXT_OK)
        *made = run;
    else
        free_run(run);
    return status;
}

/* The run of a window; NULL if there are too many. Those of groups may alternate. */
static dxt_status find_run(dxt_page *page, const dxt_window *window, uint32_t *index)
{
    for (uint32_t i = page->run_count; i-- > 0;) {
        if (!continues(page->runs[i], window)) continue;
        *index = i;
        return DXT_OK;
    }
    *index = MOST_RUNS;
    if (page->run_count == MOST_RUNS) return DXT_OK;
    if (!page->runs) page->runs = calloc(MOST_RUNS, sizeof(dxt_page_run *));
    if (!page->runs) return dxt_fail_memory(MOST_RUNS * sizeof(dxt_page_run *));
    dxt_status status = make_run(window, &page->runs[page->run_count]);
    if (status == DXT_OK) *index = page->run_count++;
    return status;
}

static dxt_status find_phase(dxt_page_run *run, const char *name, bool add, uint32_t *index)
{
    *index = MOST_PHASES;
    for (uint32_t i = 0; i < run->phase_count; i++)
        if (strcmp(run->phases[i].name, name) == 0) *index = i;
    if (*index < MOST_PHASES || !add || run->phase_count == MOST_PHASES) return DXT_OK;
    dxt_status status = DXT_OK;
    dxt_page_phase *phase = &run->phases[run->phase_count];
    *phase = (dxt_page_phase){.name = copy(name, &status)};
    if (status == DXT_OK) *index = run->phase_count++;
    return status;
}

/* ---- windows ---- */

static bool same_marks(const dxt_page_phase *phase, const dxt_page_window *window)
{
    if (phase->mark_count != window->mark_count) return false;
    for (size_t i = 0; i < phase->mark_count; i++) {
        const dxt_mark *a = &phase->marks[i], *b = &window->marks[i];
        if (a->kind != b->kind || a->row != b->row || a->column != b->column) return false;
    }
    return true;
}

/* What the window is worth; the one before a change is worth more than it was. */
static dxt_status weigh(dxt_page *page, uint32_t run, uint32_t index, const dxt_page_window *window,
                        dxt_worth *worth)
{
    dxt_page_phase *phase = &page->runs[run]->phases[index];
    bool changed = phase->windows > 0 && !same_marks(phase, window);
    *worth = changed                  ? DXT_WORTH_CHANGE
             : phase->changed         ? DXT_WORTH_BESIDE
             : window->mark_count > 0 ? DXT_WORTH_NAMED
                                      : DXT_WORTH_ORDINARY;
    if (phase->windows == 0) *worth = DXT_WORTH_BESIDE;
    if (changed) {
        dxt_shelf_raise(&page->cells, run, phase->windows - 1, DXT_WORTH_BESIDE);
        dxt_shelf_raise(&page->raw, run, phase->windows - 1, DXT_WORTH_BESIDE);
    }
    dxt_mark *marks = malloc((window->mark_count + 1) * sizeof *marks);
    if (!marks) return dxt_fail_memory((window->mark_count + 1) * sizeof *marks);
    if (window->mark_count) memcpy(marks, window->marks, window->mark_count * sizeof *marks);
    free(phase->marks);
    phase->marks = marks;
    phase->mark_count = window->mark_count;
    phase->changed = changed;
    return DXT_OK;
}

dxt_status dxt_page_pack(const dxt_page *page, void *bytes, size_t size, dxt_page_part *part)
{
    *part = (dxt_page_part){.bytes = bytes, .size = size};
    if (!page->options.pack) return DXT_OK;
    void *packed = NULL;
    size_t packed_size = 0;
    dxt_status status = page->options.pack(bytes, size, &packed, &packed_size);
    free(bytes);
    part->bytes = NULL;
    if (status != DXT_OK) return dxt_fail_memory(size);
    *part = (dxt_page_part){.bytes = packed, .size = packed_size, .packed = true};
    return DXT_OK;
}

static dxt_status shelve(dxt_page_shelf *shelf, dxt_page_item *item)
{
    dxt_status status = dxt_shelf_add(shelf, item);
    if (status == DXT_OK) return status;
    free(item->json);
    free(item->part.bytes);
    return status;
}

static dxt_status add_cells(dxt_page *page, const dxt_page_window *window, dxt_page_item item)
{
    dxt_page_cells cells;
    dxt_text json = {0};
    dxt_status status = dxt_page_cells_of(window, &cells);
    if (status != DXT_OK) return status;
    dxt_page_window_json(&json, window, &cells);
    status = dxt_page_pack(page, cells.bytes, cells.size, &item.part);
    item.json = json.data;
    if (status == DXT_OK && json.failed) status = dxt_fail_memory(0);
    if (status != DXT_OK) {
        free(json.data);
        free(item.part.bytes);
        return status;
    }
    status = shelve(&page->cells, &item);
    bool thinned = true;
    while (page->cells.count > page->options.most_windows && thinned)
        thinned = dxt_shelf_thin(&page->cells);
    /* Twice as much as there is room for is more than enough to choose from. */
    while (page->cells.bytes > 2 * page->options.most_bytes && thinned)
        thinned = dxt_shelf_thin(&page->cells);
    return status;
}

static dxt_status collect(void *context, const void *data, size_t size)
{
    dxt_text *text = context;
    dxt_text_append(text, data, size);
    return text->failed ? dxt_fail_memory(size) : DXT_OK;
}

static dxt_status add_raw(dxt_page *page, const dxt_page_window *window, dxt_page_item item)
{
    dxt_text line = {0};
    if (page->options.most_raw == 0) return DXT_OK;
    dxt_status status = dxt_window_write(window->window, collect, &line);
    if (status != DXT_OK) {
        free(line.data);
        return status;
    }
    status = dxt_page_pack(page, line.data, line.size, &item.part);
    if (status == DXT_OK) status = shelve(&page->raw, &item);
    bool thinned = true;
    while (page->raw.bytes > page->options.most_raw && thinned)
        thinned = dxt_shelf_thin(&page->raw);
    return status;
}

static dxt_status check(const dxt_page_window *given)
{
    for (size_t i = 0; i < given->mark_count; i++) {
        const dxt_mark *mark = &given->marks[i];
        if ((unsigned)mark->kind > DXT_MARK_POINT ||
            (mark->kind != DXT_MARK_COLUMN && mark->row >= given->window->ranks) ||
            (mark->kind != DXT_MARK_ROW && mark->column >= given->window->ranks))
            return dxt_fail(DXT_ERR_INVALID,
                            "marks[%zu] must be a dxt_mark_kind at a rank from 0 to %u", i,
                            given->window->ranks - 1);
    }
    return DXT_OK;
}

dxt_status dxt_page_add(dxt_page *page, const dxt_page_window *given)
{
    uint32_t run, phase;
    dxt_worth worth;
    dxt_page_window taken, *window = &taken;
    size_t needed = DXT_SIZE_UP_TO(dxt_page_window, window);
    if (!page || !given) return dxt_fail(DXT_ERR_INVALID, "page and window must not be NULL");
    if (!dxt_take_struct(&taken, sizeof taken, given, needed))
        return dxt_fail_size("window", "dxt_page_window", given->struct_size);
    if (!window->window || (window->mark_count && !window->marks))
        return dxt_fail(DXT_ERR_INVALID, "window.window and window.marks must not be NULL");
    dxt_status status = check(window);
    if (status == DXT_OK) status = find_run(page, window->window, &run);
    if (status != DXT_OK) return status;
    page->windows++;
    if (run == MOST_RUNS) return DXT_OK;
    page->newest = run;
    status = find_phase(page->runs[run], window->window->phase, true, &phase);
    if (status != DXT_OK || phase == MOST_PHASES) return status;
    status = weigh(page, run, phase, window, &worth);
    if (status != DXT_OK) return status;
    dxt_page_item item = {.run = run,
                          .phase = phase,
                          .ordinal = page->runs[run]->phases[phase].windows++,
                          .worth = worth};
    status = add_cells(page, window, item);
    return status == DXT_OK ? add_raw(page, window, item) : status;
}

/* ---- what is said of a run ---- */

dxt_status dxt_page_say(dxt_page *page, const char *line)
{
    if (!page || !line || page->run_count == 0)
        return dxt_fail(DXT_ERR_INVALID,
                        "page and line must not be NULL; call dxt_page_add() first");
    dxt_text *lines = &page->runs[page->newest]->lines;
    if (lines->size) dxt_text_puts(lines, ",");
    dxt_page_string(lines, line);
    return lines->failed ? dxt_fail_memory(0) : DXT_OK;
}

static dxt_page_scale scale_of(const dxt_timeline_panel *panel)
{
    double most = 0, least = panel->ordinary > 0 ? panel->ordinary / 8 : 0;
    for (size_t i = 0; i < panel->ranks * panel->windows; i++)
        if (isfinite(panel->values[i])) most = fmax(most, panel->values[i]);
    for (size_t s = 0; s < panel->strip_count; s++)
        for (size_t i = 0; i < panel->windows; i++)
            if (isfinite(panel->strips[s].values[i])) most = fmax(most, panel->strips[s].values[i]);
    if (!(most > 0)) most = 1;
    if (!(least > 0)) least = most / 4096;
    dxt_page_scale scale = dxt_page_scale_for(fmin(least, most), most);
    scale.steps = fmin(scale.steps, 8);
    return scale;
}

static unsigned char code(const dxt_page_scale *scale, double value)
{
    /* What is below the scale is nobody's concern; and all the same number packs well. */
    return value < scale->low ? 1 : dxt_page_code(scale, value);
}

dxt_status dxt_page_timeline(dxt_page *page, const char *name, const dxt_timeline_panel *panel)
{
    uint32_t index = MOST_PHASES;
    if (!page || !name || !panel || page->run_count == 0 || !panel->values || !panel->index)
        return dxt_fail(DXT_ERR_INVALID, "page, name and the panel's values and index must not "
                                         "be NULL; call dxt_page_add() first");
    dxt_page_run *run = page->runs[page->newest];
    find_phase(run, name, false, &index);
    if (index == MOST_PHASES || panel->ranks != run->ranks || panel->windows == 0)
        return dxt_fail(DXT_ERR_INVALID,
                        "the page has no windows of %s with %u ranks: call dxt_page_add() for them "
                        "before their timeline",
                        name, panel->ranks);
    size_t rows = panel->ranks + panel->strip_count, size = rows * panel->windows;
    unsigned char *bytes = malloc(size);
    if (!bytes) return dxt_fail_memory(size);
    dxt_page_scale scale = scale_of(panel);
    for (size_t i = 0; i < panel->ranks * panel->windows; i++)
        bytes[i] = code(&scale, panel->values[i]);
    for (size_t s = 0; s < panel->strip_count; s++)
        for (size_t i = 0; i < panel->windows; i++)
            bytes[(panel->ranks + s) * panel->windows + i] =
                code(&scale, panel->strips[s].values[i]);
    dxt_text json = {0};
    dxt_page_part part;
    dxt_status status = dxt_page_pack(page, bytes, size, &part);
    if (status != DXT_OK) return status;
    dxt_page_timeline_json(&json, panel, &scale);
    dxt_page_phase *phase = &run->phases[index];
    free(phase->timeline);
    free(phase->part.bytes);
    phase->timeline = json.data;
    phase->part = part;
    return json.failed ? dxt_fail_memory(0) : DXT_OK;
}
