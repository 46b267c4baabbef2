/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stores that others made or that are damaged: to a good one the input does, by its first byte,
 * either what it says in SQL, or changes of bytes (three for the place, one for the value), or it
 * is the store. Whatever comes of it, it is told, and what is asked is answered or refused.
 */
#include "monitor/api.h"
#include "monitor_serve.h"

static char *good;
static size_t good_size;

static void make_good(void)
{
    char why[DXT_MONITOR_WHY], *text = monitor_recording(4);
    put("a.jsonl", text, strlen(text));
    free(text);
    if (follow(why) != 0) abort();
    FILE *in = fopen(store_path, "rb");
    if (!in) abort();
    good = malloc(1 << 20);
    good_size = fread(good, 1, 1 << 20, in);
    fclose(in);
}

static void change(const uint8_t *data, size_t size)
{
    char *copy = malloc(good_size);
    if (!copy) abort();
    memcpy(copy, good, good_size);
    for (; size >= 4; data += 4, size -= 4)
        copy[((size_t)data[0] << 16 | (size_t)data[1] << 8 | data[2]) % good_size] = (char)data[3];
    put("s.db", copy, good_size);
    free(copy);
}

static void run_sql(const uint8_t *data, size_t size)
{
    sqlite3 *db = NULL;
    char *sql = strndup((const char *)data, size);
    put("s.db", good, good_size);
    if (!sql || sqlite3_open_v2(store_path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) abort();
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 1 << 20);
    sqlite3_limit(db, SQLITE_LIMIT_VDBE_OP, 2000);
    /* A question that never ends is none of the store's. */
    if (!strcasestr(sql, "recursive") && !strcasestr(sql, "journal"))
        sqlite3_exec(db, sql, NULL, NULL, NULL);
    free(sql);
    sqlite3_close(db);
}

static void question(void)
{
    static const char *const lists[] = {"groups", "windows", "findings", "incidents"};
    const dxt_monitor_options options = options_of();
    store s;
    if (store_open_reader(&s, store_path) == 0) {
        for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
            free(api_list(&s, &(api_request){.list = lists[i], .limit = 10}));
        free(metrics_text(&s, &options, false, 1));
        api_newest(&s);
    }
    store_close(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[DXT_MONITOR_WHY];
    if (begin_folder()) make_good();
    if (size == 0) return 0;
    monitor_folder_clear(folder, "s.db");
    if (data[0] % 3 == 0)
        run_sql(data + 1, size - 1);
    else if (data[0] % 3 == 1)
        change(data + 1, size - 1);
    else
        put("s.db", data + 1, size - 1);
    question();
    int status = follow(why);
    if (status != 0 && !why[0]) abort();
    question();
    return 0;
}
