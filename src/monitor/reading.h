/* SPDX-License-Identifier: Apache-2.0 */
/* Files as windows: what is new in a file is judged and stored. */
#ifndef DXT_MONITOR_READING_H
#define DXT_MONITOR_READING_H

#include "follow.h"
#include "judge.h"
#include "record.h"

/** Who reads, for all files. */
typedef struct reading_desk {
    store *s;
    recorder *recorder;
    void (*say)(const char *line);
} reading_desk;

/** A file with the state of its judgement. */
typedef struct reading {
    judge *judge; /**< NULL: not begun, or to be begun anew */
} reading;

/** Begin with a file at its first window; what of it is stored already is left alone. @return false
 * if there is no memory. */
bool reading_begin(reading *r, followed *file, recorder *to);

/** Which file it is in the store; a new one gets a line there. @return false with store.why. */
bool reading_look_up(reading_desk *desk, followed *file);

/**
 * Judge and store the next windows, in the transaction that has begun.
 *
 * @param settled  Nothing has come for a while: what waits for more is judged as it is.
 * @param failed   Set if the transaction is to be rolled back; store.why says why.
 * @return Whether there is more to read at once.
 */
bool reading_some(reading_desk *desk, followed *file, reading *r, text_source *source, bool settled,
                  bool *failed);

/** Whether something waits for more, or for nothing more to come. */
bool reading_has_waiting(const reading *r, const followed *file);

void reading_end(reading *r);

#endif
