/* SPDX-License-Identifier: Apache-2.0 */
/* Every public function, with NULL where it needs a pointer: DXT_ERR_INVALID, or "nothing", and
 * never a crash. Each is called in a process of its own, so that one that crashes is told by name.
 */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <deepxtrace/deepxtrace.h>

static int64_t cells[4];
static char phase[] = "dispatch";
static dxt_window window = {
    .struct_size = sizeof window, .ranks = 2, .phase = phase, .wait = cells, .index = 0};
static const dxt_findings none = {.struct_size = sizeof none, .ranks = 2};
static const dxt_analysis_options unset;
static const dxt_history_options unset_history;

static dxt_status keep(void *context, const void *data, size_t size)
{
    (void)context, (void)data, (void)size;
    return DXT_OK;
}

static dxt_status nothing(void *context, void *buffer, size_t size, size_t *got)
{
    (void)context, (void)buffer, (void)size;
    *got = 0;
    return DXT_OK;
}

static const dxt_source files = {.struct_size = sizeof files, .read = nothing};

/* Places for results; each stays as it is. */
static void *place;
static size_t count;
static const double number = 1;
static uint64_t sequence;
static char bytes[64];

static dxt_history *history(void)
{
    dxt_history *made = NULL;
    return dxt_history_create(NULL, &made) == DXT_OK ? made : NULL;
}

static dxt_analyzer *analyzer(void)
{
    dxt_analyzer *made = NULL;
    return dxt_analyzer_create(&made) == DXT_OK ? made : NULL;
}

static dxt_reader *reader(void)
{
    dxt_reader *made = NULL;
    return dxt_reader_open_memory("1 2\n3 4\n", 8, "matrix", &made) == DXT_OK ? made : NULL;
}

static dxt_gather *gather(void)
{
    dxt_gather *made = NULL;
    const dxt_gather_transport transport = {.struct_size = sizeof transport};
    return dxt_gather_create(0, 1, &transport, &made) == DXT_OK ? made : NULL;
}

static dxt_snapshot *snapshot(void)
{
    dxt_snapshot *made = NULL;
    return dxt_snapshot_create(1, 2, &made) == DXT_OK ? made : NULL;
}

static dxt_probe *probe(void)
{
    dxt_probe *made = NULL;
    return dxt_probe_create(1, 2, &made) == DXT_OK ? made : NULL;
}

static dxt_page *page(void)
{
    dxt_page *made = NULL;
    return dxt_page_create(NULL, &made) == DXT_OK ? made : NULL;
}

#define AS(type) ((type **)(void *)&place)

/* X(call): of those that return a status. */
#define CALLS(X)                                                                                \
    X(dxt_analyze(NULL, NULL, AS(dxt_findings)))                                                \
    X(dxt_analyze(&window, NULL, NULL))                                                         \
    X(dxt_analyze(&window, &unset, AS(dxt_findings)))                                           \
    X(dxt_ratio_matrix(NULL, 2, 2, NULL, AS(dxt_ratio_place), &count))                          \
    X(dxt_ratio_matrix(&number, 1, 1, NULL, NULL, &count))                                      \
    X(dxt_ratio_matrix(&number, 1, 1, NULL, AS(dxt_ratio_place), NULL))                         \
    X(dxt_analyzer_create(NULL))                                                                \
    X(dxt_analyzer_run(NULL, &window, NULL, AS(const dxt_findings)))                            \
    X(dxt_analyzer_run(analyzer(), NULL, NULL, AS(const dxt_findings)))                         \
    X(dxt_analyzer_run(analyzer(), &window, NULL, NULL))                                        \
    X(dxt_history_create(NULL, NULL))                                                           \
    X(dxt_history_create(&unset_history, AS(dxt_history)))                                      \
    X(dxt_history_prior(NULL, NULL, (dxt_analysis_options *)(void *)bytes))                     \
    X(dxt_history_prior(NULL, &window, NULL))                                                   \
    X(dxt_history_judge(NULL, &window, &none, AS(dxt_findings)))                                \
    X(dxt_history_judge(history(), NULL, &none, AS(dxt_findings)))                              \
    X(dxt_history_judge(history(), &window, NULL, AS(dxt_findings)))                            \
    X(dxt_history_judge(history(), &window, &none, NULL))                                       \
    X(dxt_history_follow(NULL, &window, &none, AS(const dxt_findings)))                         \
    X(dxt_history_follow(history(), NULL, &none, AS(const dxt_findings)))                       \
    X(dxt_history_follow(history(), &window, NULL, AS(const dxt_findings)))                     \
    X(dxt_history_follow(history(), &window, &none, NULL))                                      \
    X(dxt_history_run(NULL, (dxt_run_identity *)(void *)bytes))                                 \
    X(dxt_history_run(history(), NULL))                                                         \
    X(dxt_history_run(history(), (dxt_run_identity *)(void *)bytes))                            \
    X(dxt_history_summary(NULL, AS(dxt_episode), &count))                                       \
    X(dxt_history_summary(history(), NULL, &count))                                             \
    X(dxt_history_summary(history(), AS(dxt_episode), NULL))                                    \
    X(dxt_history_timeline(NULL, phase, AS(dxt_timeline)))                                      \
    X(dxt_history_timeline(history(), NULL, AS(dxt_timeline)))                                  \
    X(dxt_history_timeline(history(), phase, NULL))                                             \
    X(dxt_window_create(2, NULL, AS(dxt_window)))                                               \
    X(dxt_window_create(2, phase, NULL))                                                        \
    X(dxt_window_check(NULL))                                                                   \
    X(dxt_window_add(NULL, &window))                                                            \
    X(dxt_window_add(&window, NULL))                                                            \
    X(dxt_window_write(NULL, keep, NULL))                                                       \
    X(dxt_window_write(&window, NULL, NULL))                                                    \
    X(dxt_reader_open(NULL, AS(dxt_reader)))                                                    \
    X(dxt_reader_open("-", NULL))                                                               \
    X(dxt_reader_open_memory(NULL, 1, "x", AS(dxt_reader)))                                     \
    X(dxt_reader_open_memory("1", 1, NULL, AS(dxt_reader)))                                     \
    X(dxt_reader_open_memory("1", 1, "x", NULL))                                                \
    X(dxt_reader_open_source(NULL, "x", AS(dxt_reader)))                                        \
    X(dxt_reader_open_source(&files, NULL, AS(dxt_reader)))                                     \
    X(dxt_reader_open_source(&files, "x", NULL))                                                \
    X(dxt_session_first_step(NULL))                                                             \
    X(dxt_reader_next(NULL, AS(dxt_window)))                                                    \
    X(dxt_reader_next(reader(), NULL))                                                          \
    X(dxt_gather_create_local(NULL, AS(dxt_gather)))                                            \
    X(dxt_gather_create(0, 1, NULL, AS(dxt_gather)))                                            \
    X(dxt_gather_publish(NULL, 1, bytes, 1))                                                    \
    X(dxt_gather_publish(gather(), 1, NULL, 1))                                                 \
    X(dxt_gather_collect(NULL, 0, 0, bytes, 1, &count, &sequence))                              \
    X(dxt_gather_collect(gather(), 0, 0, NULL, 1, &count, &sequence))                           \
    X(dxt_gather_collect(gather(), 0, 0, bytes, 1, NULL, &sequence))                            \
    X(dxt_gather_collect(gather(), 0, 0, bytes, 1, &count, NULL))                               \
    X(dxt_probe_create(1, 2, NULL))                                                             \
    X(dxt_probe_create_durations(1, 2, 16, NULL))                                               \
    X(dxt_probe_init(NULL, 4096, 1, 2, AS(dxt_probe)))                                          \
    X(dxt_probe_init(bytes, sizeof bytes, 1, 2, NULL))                                          \
    X(dxt_snapshot_create(1, 2, NULL))                                                          \
    X(dxt_probe_snapshot(NULL, snapshot()))                                                     \
    X(dxt_probe_snapshot(probe(), NULL))                                                        \
    X(dxt_snapshot_difference(NULL, snapshot(), snapshot()))                                    \
    X(dxt_snapshot_difference(snapshot(), NULL, snapshot()))                                    \
    X(dxt_snapshot_difference(snapshot(), snapshot(), NULL))                                    \
    X(dxt_probe_calibrate(2, (dxt_probe_cost *)(void *)bytes))                                  \
    X(dxt_probe_calibrate(2, NULL))                                                             \
    X(dxt_heatmap_write(NULL, 1, DXT_FORMAT_SVG, NULL, keep, NULL))                             \
    X(dxt_heatmap_write(&(dxt_heatmap_panel){.window = NULL}, 1, DXT_FORMAT_SVG, NULL, keep,    \
                        NULL))                                                                  \
    X(dxt_heatmap_write(&(dxt_heatmap_panel){.window = &window}, 1, DXT_FORMAT_SVG, NULL, NULL, \
                        NULL))                                                                  \
    X(dxt_timeline_write(NULL, 1, DXT_FORMAT_SVG, NULL, keep, NULL))                            \
    X(dxt_page_create(NULL, NULL))                                                              \
    X(dxt_page_add(NULL, (dxt_page_window *)(void *)bytes))                                     \
    X(dxt_page_add(page(), NULL))                                                               \
    X(dxt_page_timeline(NULL, phase, (dxt_timeline_panel *)(void *)bytes))                      \
    X(dxt_page_timeline(page(), phase, NULL))                                                   \
    X(dxt_page_say(NULL, phase))                                                                \
    X(dxt_page_say(page(), NULL))                                                               \
    X(dxt_page_write(NULL, keep, NULL))                                                         \
    X(dxt_page_write(page(), NULL, NULL))                                                       \
    X(dxt_page_live("{}", NULL, NULL))                                                          \
    X(dxt_format_from_name(NULL, (dxt_format *)(void *)bytes))                                  \
    X(dxt_format_from_name("x.svg", NULL))                                                      \
    X(dxt_report_text(NULL, &none, keep, NULL))                                                 \
    X(dxt_report_text(&window, NULL, keep, NULL))                                               \
    X(dxt_report_text(&window, &none, NULL, NULL))                                              \
    X(dxt_report_json(NULL, &none, keep, NULL))                                                 \
    X(dxt_report_json(&window, NULL, keep, NULL))                                               \
    X(dxt_report_json(&window, &none, NULL, NULL))                                              \
    X(dxt_report_summary_text(NULL, keep, NULL))                                                \
    X(dxt_report_summary_text(history(), NULL, NULL))                                           \
    X(dxt_report_summary_json(NULL, keep, NULL))                                                \
    X(dxt_report_summary_json(history(), NULL, NULL))                                           \
    X(dxt_report_summary_of_rank(NULL, 0, -1, 0, keep, NULL))                                   \
    X(dxt_report_summary_of_rank(history(), 0, -1, 1, NULL, NULL))                              \
    X(dxt_report_marks(NULL, &none, AS(dxt_mark), &count))                                      \
    X(dxt_report_marks(&window, NULL, AS(dxt_mark), &count))                                    \
    X(dxt_report_marks(&window, &none, NULL, &count))                                           \
    X(dxt_report_marks(&window, &none, AS(dxt_mark), NULL))                                     \
    X(dxt_session_create(NULL, AS(dxt_session)))                                                \
    X(dxt_session_step(NULL))                                                                   \
    X(dxt_mpi_find_place(NULL, NULL))                                                           \
    X(dxt_gather_create_mpi(NULL, AS(dxt_gather)))                                              \
    X(dxt_mpi_board_create(NULL, NULL))                                                         \
    X(dxt_mpi_board_show(NULL, NULL))                                                           \
    X(dxt_mpi_board_read(NULL, NULL))

/* X(whether "nothing" is returned): of those that have no status. */
#define ANSWERS(X)                                                                                \
    X(dxt_history_continues(NULL, &window) == 0)                                                  \
    X(dxt_history_continues(history(), NULL) == 0)                                                \
    X(dxt_history_windows(NULL) == 0)                                                             \
    X(isnan(dxt_window_value(NULL, 0, 0)))                                                        \
    X((dxt_window_row(NULL, 0, (double *)(void *)bytes), 1))                                      \
    X((dxt_window_row(&window, 0, NULL), 1))                                                      \
    X(dxt_window_measure(NULL) == DXT_MEASURE_CYCLES)                                             \
    X(dxt_window_ops(NULL, 0) == 0)                                                               \
    X(dxt_reader_line(NULL) == 0)                                                                 \
    X(dxt_gather_rank(NULL) == 0 && dxt_gather_ranks(NULL) == 0)                                  \
    X(dxt_report_sentence(NULL, &none, 0, bytes, sizeof bytes) == 0)                              \
    X(dxt_report_sentence(&window, NULL, 0, bytes, sizeof bytes) == 0)                            \
    X(dxt_report_explained(NULL, &none, DXT_EXPLAINED_SILENT, (unsigned char *)bytes, NULL, 0) == \
      0)                                                                                          \
    X(dxt_report_explained(&window, NULL, DXT_EXPLAINED_SILENT, (unsigned char *)bytes, NULL,     \
                           0) == 0)                                                               \
    X(dxt_report_explained(&window, &none, DXT_EXPLAINED_SILENT, NULL, NULL, 0) == 0)             \
    X(dxt_session_windows(NULL) == 0)                                                             \
    X((dxt_findings_free(NULL), dxt_analyzer_destroy(NULL), dxt_history_destroy(NULL), 1))        \
    X((dxt_window_free(NULL), dxt_reader_close(NULL), dxt_gather_destroy(NULL), 1))               \
    X((dxt_probe_destroy(NULL), dxt_snapshot_destroy(NULL), dxt_session_destroy(NULL), 1))        \
    X((dxt_mpi_board_destroy(NULL), 1))                                                           \
    X((dxt_reader_on_remark(NULL, NULL, NULL), 1))                                                \
    X((dxt_make_printable(NULL), 1))                                                              \
    X(dxt_probe_read_durations(NULL, 0, 0, NULL, 0) == 0)                                         \
    X((dxt_probe_note_duration(NULL, 0, 0, 0), 1))                                                \
    X(dxt_parts(NULL, 0) > 0 && dxt_constants(NULL, 0) > 0)                                       \
    X(dxt_window_relation(NULL, &window) == DXT_RELATION_NONE)                                    \
    X(dxt_window_relation(&window, NULL) == DXT_RELATION_NONE)                                    \
    X(dxt_log_rest(NULL, 1, 0, 1) == 0)                                                           \
    X(dxt_phase_relation(NULL, phase) == DXT_RELATION_NONE)                                       \
    X(dxt_phase_relation(phase, NULL) == DXT_RELATION_NONE)                                       \
    X((dxt_page_free(NULL), dxt_set_log(NULL, NULL), 1))                                          \
    X(isnan(dxt_default(NULL)) && isnan(dxt_default("")))                                         \
    X(dxt_episode_names(NULL, NULL) == 0)                                                         \
    X((strcpy(bytes, "full"), dxt_report_sentence(NULL, NULL, 0, bytes, sizeof bytes),            \
       bytes[0] == 0))

#define TEXT(call) #call,
static const char *const texts[] = {CALLS(TEXT) ANSWERS(TEXT)};
enum { CASES = sizeof texts / sizeof texts[0] };

/* Whether the case of this number was refused, or answered with nothing, and left no result. */
static bool holds(size_t wanted)
{
    size_t at = 0;
#define REFUSED(call) \
    if (at++ == wanted) return (call) == DXT_ERR_INVALID && !place;
    CALLS(REFUSED)
#define ANSWERED(condition) \
    if (at++ == wanted) return (condition);
    ANSWERS(ANSWERED)
    return false;
}

static void null_is_refused(void **state)
{
    size_t wrong = 0;
    (void)state;
    for (size_t k = 0; k < CASES; k++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            signal(SIGSEGV, SIG_DFL); /* cmocka has its own */
            _exit(holds(k) ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
        print_error("%s: %s\n", WIFSIGNALED(status) ? "crashed" : "not refused", texts[k]);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(null_is_refused)};
    return cmocka_run_group_tests_name("null", tests, NULL, NULL);
}
