/* SPDX-License-Identifier: Apache-2.0 */
/* The database: schema, its versions, the lock, and statements. */
#ifndef DXT_MONITOR_STORE_H
#define DXT_MONITOR_STORE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Version of the schema. Older ones are migrated, newer ones refused. */
#define STORE_VERSION 3
/** The mark of our files: "DXTR". */
#define STORE_APPLICATION 0x44585452

/** Most compiled statements that are kept: more than are run repeatedly. */
#define STORE_KEPT 40u

/** A connection. The one that writes holds the lock of the store. */
typedef struct store {
    sqlite3 *db;
    int lock;     /**< descriptor of FILE.lock; −1 = reads only */
    dev_t device; /**< of the file; of one that was opened by store_open() */
    ino_t inode;
    sqlite3_stmt *kept[STORE_KEPT]; /**< compiled statements that are not running */
    size_t kept_count;
    char why[256];
} store;

/** A running statement. Parameters are bound in the order of the calls. */
typedef struct query {
    store *store;
    sqlite3_stmt *stmt;
    int bound;
    bool failed;
} query;

/**
 * Open for writing, alone: make or migrate the schema.
 *
 * @return 0; 2 if it cannot be used (in use, of a later version, no database); 3 on failure;
 *         store.why says why.
 */
int store_open(store *s, const char *path);

/** @return Whether what store_open() opened still has its name; false with store.why. Whatever is
 *  written to it is lost otherwise: SQLite does not notice. */
bool store_is_there(store *s, const char *path);

/** Open a second connection that only reads. @return As store_open(). */
int store_open_reader(store *s, const char *path);

/** Open a second connection that writes, in a process that holds the lock. @return As store_open().
 */
int store_open_writer(store *s, const char *path);

/** Close; also after an open that failed. */
void store_close(store *s);

/** Run statements without results. @return false with store.why. */
bool store_run(store *s, const char *sql);

query query_begin(store *s, const char *sql);
void query_int(query *q, int64_t value);
void query_real(query *q, double value);      /**< NULL if it is not finite */
void query_text(query *q, const char *value); /**< NULL allowed; must stay until query_end() */
void query_blob(query *q, const void *value, size_t size); /**< likewise */
void query_null(query *q);
/** @return Whether there is a row. */
bool query_row(query *q);
int64_t query_get_int(query *q, int column);
double query_get_real(query *q, int column);      /**< NaN for NULL */
const char *query_get_text(query *q, int column); /**< "" for NULL; until the next row */
bool query_is_null(query *q, int column);
/** Finish. @return Whether all went well; store.why otherwise. */
bool query_end(query *q);

/** Run a statement without results, and end it. */
bool query_do(query *q);

#endif
