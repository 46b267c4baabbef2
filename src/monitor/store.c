/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long a statement waits for another connection. */
#define BUSY_MS 5000

#define DXT_TEXT(x) #x
#define DXT_TEXT_OF(x) DXT_TEXT(x)

/* One step for each version: migrations[v] makes version v + 1 of version v. */
static const char *const migrations[STORE_VERSION] = {
    /* Ordinals are byte offsets in the file's text, so that no line is stored twice. Times are ns
     * since 1970. */
    "CREATE TABLE file (id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE, path TEXT NOT NULL,"
    " position INTEGER NOT NULL DEFAULT 0,"
    " done INTEGER NOT NULL DEFAULT 0, windows INTEGER NOT NULL DEFAULT 0,"
    " bad INTEGER NOT NULL DEFAULT 0, problem TEXT);"
    "CREATE TABLE grp (id INTEGER PRIMARY KEY, name TEXT NOT NULL, instance TEXT NOT NULL,"
    " ranks INTEGER NOT NULL, recorded INTEGER NOT NULL DEFAULT 0, first_ns INTEGER, last_ns "
    "INTEGER,"
    " windows INTEGER NOT NULL DEFAULT 0, UNIQUE (name, instance, ranks));"
    "CREATE TABLE place (grp INTEGER NOT NULL REFERENCES grp ON DELETE CASCADE, rank INTEGER NOT "
    "NULL,"
    " host TEXT, gpu INTEGER, uuid TEXT, pci TEXT, pid INTEGER, job_rank INTEGER,"
    " PRIMARY KEY (grp, rank)) WITHOUT ROWID;"
    "CREATE TABLE window (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " file INTEGER NOT NULL REFERENCES file ON DELETE CASCADE, ordinal INTEGER NOT NULL,"
    " grp INTEGER NOT NULL REFERENCES grp ON DELETE CASCADE, operator TEXT NOT NULL, number "
    "INTEGER,"
    " begin_ns INTEGER NOT NULL, begin_read INTEGER NOT NULL, elapsed_ns INTEGER,"
    " verdict TEXT NOT NULL, share REAL, findings INTEGER NOT NULL, diagnosis TEXT NOT NULL,"
    " measure INTEGER NOT NULL, sums BLOB NOT NULL, UNIQUE (file, ordinal));"
    "CREATE INDEX window_group ON window (grp, operator, id);"
    "CREATE INDEX window_begin ON window (begin_ns);"
    "CREATE TABLE matrix (window INTEGER PRIMARY KEY REFERENCES window ON DELETE CASCADE,"
    " keep INTEGER NOT NULL, coding INTEGER NOT NULL, cells BLOB NOT NULL);"
    "CREATE TABLE incident (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " state INTEGER NOT NULL, grp INTEGER NOT NULL REFERENCES grp ON DELETE CASCADE,"
    " operator TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, rank INTEGER, source "
    "INTEGER,"
    " node INTEGER, source_node INTEGER, host TEXT, gpu INTEGER, uuid TEXT,"
    " begin_ns INTEGER NOT NULL, end_ns INTEGER, first_window INTEGER, last_window INTEGER,"
    " seen INTEGER NOT NULL, hits INTEGER NOT NULL, length INTEGER NOT NULL, share REAL,"
    " lost_ns INTEGER NOT NULL, severity TEXT NOT NULL, text TEXT NOT NULL);"
    "CREATE INDEX incident_state ON incident (grp, operator, state);"
    "CREATE TABLE alert (id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL,"
    " body TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, next_ns INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE total (name TEXT NOT NULL, grp INTEGER NOT NULL REFERENCES grp ON DELETE CASCADE,"
    " operator TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (name, grp, operator))"
    " WITHOUT ROWID;",
    /* Mark the file as ours; count incidents that opened, since old ones are deleted. */
    "PRAGMA application_id = " DXT_TEXT_OF(
        STORE_APPLICATION) ";"
                           "INSERT INTO total SELECT 'opened ' || kind, grp, operator, count(*) "
                           "FROM incident WHERE state"
                           " > 0 GROUP BY kind, grp, operator;",
    /* Existing groups: on which nodes they ran is no longer known. */
    "ALTER TABLE place ADD COLUMN node INTEGER;",
};

static int refuse(store *s, int status, const char *format, const char *what)
{
    snprintf(s->why, sizeof s->why, format, what);
    return status;
}

/* What the library says, and what the system did, or what to do. */
static void say_why(store *s, const char *message)
{
    int code = s->db ? sqlite3_errcode(s->db) & 0xff : SQLITE_NOMEM;
    bool of_system = code == SQLITE_IOERR || code == SQLITE_CANTOPEN;
    int error = s->db && of_system ? sqlite3_system_errno(s->db) : 0;
    if (!message) message = s->db ? sqlite3_errmsg(s->db) : "out of memory";
    if (error != 0)
        snprintf(s->why, sizeof s->why, "%s (%s)", message, strerror(error));
    else
        snprintf(s->why, sizeof s->why, "%s%s", message,
                 code == SQLITE_NOTADB ? "; give --store another FILE" : "");
}

bool store_run(store *s, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(s->db, sql, NULL, NULL, &message) == SQLITE_OK) return true;
    say_why(s, message);
    sqlite3_free(message);
    return false;
}

/* ---- statements ---- */

/* Find a statement that is compiled already, since compiling takes as long as running; NULL if
 * there is none. */
static sqlite3_stmt *take_kept(store *s, const char *sql)
{
    for (size_t i = 0; i < s->kept_count; i++) {
        sqlite3_stmt *stmt = s->kept[i];
        if (strcmp(sqlite3_sql(stmt), sql) != 0) continue;
        s->kept[i] = s->kept[--s->kept_count];
        return stmt;
    }
    return NULL;
}

/* Whether to keep a statement. Not a pragma: some act when they are compiled. */
static bool is_worth_keeping(const store *s, const char *sql)
{
    return s->kept_count < STORE_KEPT && strncmp(sql, "PRAGMA", 6) != 0;
}

query query_begin(store *s, const char *sql)
{
    query q = {.store = s, .stmt = take_kept(s, sql)};
    if (!q.stmt)
        q.failed = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &q.stmt, NULL) !=
                   SQLITE_OK;
    return q;
}

static void note(query *q, int result)
{
    if (result != SQLITE_OK) q->failed = true;
}

void query_int(query *q, int64_t value)
{
    if (!q->failed) note(q, sqlite3_bind_int64(q->stmt, ++q->bound, value));
}

void query_real(query *q, double value)
{
    if (q->failed) return;
    if (isfinite(value))
        note(q, sqlite3_bind_double(q->stmt, ++q->bound, value));
    else
        query_null(q);
}

void query_text(query *q, const char *value)
{
    if (!q->failed) note(q, sqlite3_bind_text(q->stmt, ++q->bound, value, -1, SQLITE_STATIC));
}

void query_blob(query *q, const void *value, size_t size)
{
    if (!q->failed) note(q, sqlite3_bind_blob64(q->stmt, ++q->bound, value, size, SQLITE_STATIC));
}

void query_null(query *q)
{
    if (!q->failed) note(q, sqlite3_bind_null(q->stmt, ++q->bound));
}

bool query_row(query *q)
{
    if (q->failed) return false;
    int result = sqlite3_step(q->stmt);
    if (result == SQLITE_ROW) return true;
    if (result != SQLITE_DONE) q->failed = true;
    return false;
}

int64_t query_get_int(query *q, int column)
{
    return sqlite3_column_int64(q->stmt, column);
}

double query_get_real(query *q, int column)
{
    return query_is_null(q, column) ? NAN : sqlite3_column_double(q->stmt, column);
}

const char *query_get_text(query *q, int column)
{
    const unsigned char *text = sqlite3_column_text(q->stmt, column);
    return text ? (const char *)text : "";
}

bool query_is_null(query *q, int column)
{
    return sqlite3_column_type(q->stmt, column) == SQLITE_NULL;
}

bool query_end(query *q)
{
    if (q->failed) say_why(q->store, NULL);
    if (!q->failed && q->stmt && is_worth_keeping(q->store, sqlite3_sql(q->stmt)) &&
        sqlite3_reset(q->stmt) == SQLITE_OK) {
        sqlite3_clear_bindings(q->stmt); /* the caller owns the bound values */
        q->store->kept[q->store->kept_count++] = q->stmt;
    } else {
        sqlite3_finalize(q->stmt);
    }
    q->stmt = NULL;
    return !q->failed;
}

bool query_do(query *q)
{
    while (query_row(q)) continue;
    return query_end(q);
}

/* ---- opening ---- */

/* The lock is a file of its own: it belongs to the process, not to a connection. */
static int take_lock(store *s, const char *path)
{
    char *name = NULL;
    if (asprintf(&name, "%s.lock", path) < 0) return refuse(s, 3, "%s", "out of memory");
    s->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    free(name);
    if (s->lock < 0) return refuse(s, 2, "cannot be locked: %s", strerror(errno));
    if (flock(s->lock, LOCK_EX | LOCK_NB) != 0)
        return refuse(s, 2, "%s", "another `deepxtrace serve` uses it; give this one --store FILE");
    return 0;
}

static int64_t ask(store *s, const char *sql)
{
    query q = query_begin(s, sql);
    int64_t value = query_row(&q) ? query_get_int(&q, 0) : -1;
    return query_end(&q) ? value : -1;
}

static int version_of(store *s)
{
    int64_t version = ask(s, "PRAGMA user_version");
    return version > INT32_MAX ? INT32_MAX : (int)version;
}

/* Leave the file of another program as it is. Version 1 had no mark of ours. */
static int check_owner(store *s, int version)
{
    int64_t owner = ask(s, "PRAGMA application_id");
    int64_t tables = ask(s, "SELECT count(*) FROM sqlite_master");
    if (owner < 0 || tables < 0) return 2;
    if (version == 0 && tables == 0) return 0;
    if (version == 1 && owner == 0 &&
        ask(s, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('file', 'grp',"
               " 'window', 'incident', 'alert', 'total')") == 6)
        return 0;
    if (version > 0 && owner == STORE_APPLICATION) return 0;
    return refuse(s, 2, "%s", "it is the database of another program; give another --store FILE");
}

/* Try the statements that are run all the time: this notices a damaged file. */
static int check_schema(store *s)
{
    static const char *const questions[] = {
        "SELECT id, identity, path, position, done, windows, bad, problem FROM file LIMIT 1",
        "SELECT id, name, instance, ranks, recorded, first_ns, last_ns, windows FROM grp LIMIT 1",
        "SELECT grp, rank, host, gpu, uuid, pci, pid, job_rank, node FROM place LIMIT 1",
        "SELECT id, file, ordinal, grp, operator, number, begin_ns, begin_read, elapsed_ns, "
        "verdict,"
        " share, findings, diagnosis, measure, sums FROM window ORDER BY id DESC LIMIT 1",
        "SELECT window, keep, coding, cells FROM matrix LIMIT 1",
        "SELECT number, id, state, grp, operator, kind, subject, rank, source, node, source_node,"
        " host, gpu, uuid, begin_ns, end_ns, first_window, last_window, seen, hits, length, share,"
        " lost_ns, severity, text FROM incident ORDER BY number DESC LIMIT 1",
        "SELECT id, channel, body, attempts, next_ns FROM alert LIMIT 1",
        "SELECT name, grp, operator, value FROM total LIMIT 1"};
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        query q = query_begin(s, questions[i]);
        if (query_do(&q)) continue;
        char why[sizeof s->why];
        memcpy(why, s->why, sizeof why);
        snprintf(s->why, sizeof s->why,
                 "it is damaged (%.150s); move it away, and serve makes a new one from the files",
                 why);
        return 2;
    }
    return 0;
}

static int migrate(store *s)
{
    int version = version_of(s);
    if (version < 0) return 2;
    int owned = check_owner(s, version);
    if (owned != 0) return owned;
    if (version > STORE_VERSION) {
        snprintf(
            s->why, sizeof s->why,
            "its schema is version %d, this program knows up to %d; use a later deepxtrace, or "
            "another --store FILE",
            version, STORE_VERSION);
        return 2;
    }
    for (; version < STORE_VERSION; version++) {
        char done[64];
        snprintf(done, sizeof done, "PRAGMA user_version = %d; COMMIT", version + 1);
        if (!store_run(s, "BEGIN IMMEDIATE") || !store_run(s, migrations[version]) ||
            !store_run(s, done)) {
            char why[sizeof s->why];
            memcpy(why, s->why, sizeof why);
            store_run(s, "ROLLBACK");
            memcpy(s->why, why, sizeof why);
            return 3;
        }
    }
    return check_schema(s);
}

/* Only the owner may read a new store, since it holds host names. Its journal gets the same mode.
 */
static int make_private(store *s, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 && errno == ELOOP)
        return refuse(s, 2, "%s", "this is a link; give --store the file that it leads to");
    if (fd < 0) return refuse(s, 2, "%s", strerror(errno));
    struct stat is;
    if (fstat(fd, &is) == 0) {
        s->device = is.st_dev;
        s->inode = is.st_ino;
    }
    close(fd);
    return 0;
}

bool store_is_there(store *s, const char *path)
{
    struct stat there;
    if (stat(path, &there) != 0) {
        if (errno != ENOENT && errno != ENOTDIR) return true;
    } else if (there.st_dev == s->device && there.st_ino == s->inode) {
        return true;
    }
    refuse(s, 3, "%s", "somebody has removed or replaced it; start again to fill a new one");
    return false;
}

static int connect_to(store *s, const char *path, int flags)
{
    if (sqlite3_open_v2(path, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        say_why(s, NULL);
        return 2;
    }
    sqlite3_busy_timeout(s->db, BUSY_MS);
    /* A store from somebody else must not run code in its schema. */
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return store_run(s, "PRAGMA foreign_keys = ON") ? 0 : 2;
}

int store_open(store *s, const char *path)
{
    *s = (store){.lock = -1};
    int status = take_lock(s, path);
    if (status == 0) status = make_private(s, path);
    if (status == 0) status = connect_to(s, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    /* The first statement that reads fails if the file is no database. */
    if (status == 0 && version_of(s) < 0) status = 2;
    if (status == 0 && !store_run(s, "PRAGMA auto_vacuum = INCREMENTAL;"
                                     " PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL"))
        status = 3;
    return status == 0 ? migrate(s) : status;
}

int store_open_reader(store *s, const char *path)
{
    *s = (store){.lock = -1};
    return connect_to(s, path, SQLITE_OPEN_READONLY);
}

int store_open_writer(store *s, const char *path)
{
    *s = (store){.lock = -1};
    return connect_to(s, path, SQLITE_OPEN_READWRITE);
}

void store_close(store *s)
{
    while (s->kept_count > 0) sqlite3_finalize(s->kept[--s->kept_count]);
    if (s->db) sqlite3_close(s->db);
    if (s->lock >= 0) close(s->lock);
    *s = (store){.lock = -1};
}
