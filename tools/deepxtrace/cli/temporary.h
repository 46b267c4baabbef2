/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a signal which ends the command must not leave half-written: those of a temporary name
 * are deleted, those that grow by lines are cut back to the last whole one. */
#ifndef TOOLS_CLI_TEMPORARY_H
#define TOOLS_CLI_TEMPORARY_H

#include <signal.h>
#include <stdbool.h>

/**
 * Make a file that is deleted when INT, TERM, HUP or QUIT ends this process, as long as nobody else
 * handles that signal.
 *
 * @param name  Of the form "…XXXXXX", which becomes its name; must outlive the file's
 *              temporary_forget().
 * @return A descriptor to read and write, closed on exec; -1 with errno.
 *
 * Threads: one.
 */
int temporary_open(char *name);

/**
 * Move the file to its name. At no moment does a signal leave it behind half-written.
 *
 * @param name     As it was. No longer needed afterwards.
 * @param target   Must outlive the file's temporary_forget() if it grows.
 * @param replace  Whether something may have that name already.
 * @param grows    It is written on, by lines: a signal deletes it if no line is whole, and
 * otherwise cuts it back to its last one. If not, it is complete, and forgotten here.
 * @return 0; -1 with errno, and all is as before.
 */
int temporary_place(const char *name, const char *target, bool replace, bool grows);

/**
 * Forget a file, which the caller deletes, or that is complete. Also for a name that is not known.
 *
 * @param name  Its temporary name, or where it grows.
 */
void temporary_forget(const char *name);

/**
 * Around whatever changes a file that grows. A signal that another thread takes meanwhile waits for
 * temporary_wrote(); once it has cut the files back, this does not return.
 *
 * @param before  For temporary_wrote().
 */
void temporary_writes(sigset_t *before);
void temporary_wrote(const sigset_t *before);

/** Handle HUP, unless the command was started to ignore it, as nohup does. */
void catch_hangup(const struct sigaction *action);

/** Cut a file back to its last whole line. @return Whether anything is left. */
bool temporary_cut(int fd);

#endif
