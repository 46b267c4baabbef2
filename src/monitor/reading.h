/* SPDX-License-Identifier: Apache-2.0 */
/* Read new windows of a file, judge and store them. */
#ifndef DXT_MONITOR_READING_H
#define DXT_MONITOR_READING_H

#include "follow.h"
#include "judge.h"
#include "record.h"

/** The state of reading that all files share. */
typedef struct reading_desk {
    store *s;
    recorder *recorder;
    void (*say)(const char *line);
} reading_desk;

/** A file, and the state of judging it. */
typedef struct reading {
    judge *judge; /**< NULL: not begun, or to be begun anew */
} reading;

/** Begin with a file at its first window. Windows that are stored already are left alone.
 * @return false if out of memory. */
bool reading_begin(reading *r, followed *file, recorder *to);

/** Find the file's id in the store; a new file gets a row there. @return false with store.why. */
bool reading_look_up(reading_desk *desk, followed *file);

/**
 * Judge and store the next windows, in the transaction that has begun.
 *
 * @param settled  Nothing has come for a while: judge what waits for more as it is.
 * @param failed   Set if the transaction is to be rolled back; store.why says why.
 * @return Whether there is more to read at once.
 */
bool reading_some(reading_desk *desk, followed *file, reading *r, text_source *source, bool settled,
                  bool *failed);

/** Whether a window waits for more text, or for a while in which none comes. */
bool reading_has_waiting(const reading *r, const followed *file);

void reading_end(reading *r);

#endif
