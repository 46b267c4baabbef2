/* SPDX-License-Identifier: Apache-2.0 */
/* Waits of two ranks in sentences and by their names, in any order; sums beside a matrix; shapes
 * that are said beside a list; ranks that are sorted as text; the arguments of a print. */
#include "test_matrix_reading.h"

#include "alloc_fail.h"

#define BOTH ONE PLAIN("combine", "0", "[[5,6],[7,8]]")
#define SIZED(ranks, unit, wait)                                                        \
    "{\"v\":1,\"phase\":\"dispatch\",\"window\":0,\"ranks\":" ranks ",\"unit\":\"" unit \
    "\",\"wait\":" wait "}\n"
#define THREE SIZED("3", "cycles", "[[1,2,3],[4,5,6],[7,8,9]]")
#define PARTED SIZED("2", "cycles", "[[1000,2000000],[3,4]]")
#define NAMES                                                                                    \
    "t:2: no window: line 1 is a wait of two ranks by their names; write the lines as numbers, " \
    "\"waiting rank,awaited rank,wait\", in order (0,0,5 then 0,1,7)"
#define TEN SIZED("3", "cycles", "[[10,2,3],[4,5,6],[7,8,9]]")
#define NO_OWN SIZED("3", "cycles", "[[null,2,3],[4,null,6],[7,8,null]]")
#define NONE_OWN SIZED("2", "cycles", "[[null,2],[3,null]]")
#define MICRO_OWN SIZED("2", "ns", "[[null,1500000],[20,null]]")
#define MICRO SIZED("2", "ns", "[[1000,2000],[3000,4000]]")

typedef struct read_case {
    const char *text, *expected;
} read_case;

#define READ_ALL_OF(cases) \
    for (size_t i = 0; i < LENGTH(cases); i++) assert_told(cases[i].text, cases[i].expected, "")

static void waits_are_said_in_sentences(void **state)
{
    (void)state;
    static const read_case cases[] = {
        {"rank 0 waits for rank 0: 1\nrank 0 waits for rank 1: 2\n"
         "rank 1 waits for rank 0: 3\nrank 1 waits for rank 1: 4\n",
         ONE},
        {"rank 1 waited for rank 1: 4\nrank 0 waited on rank 1: 2\n"
         "rank 1 waited for rank 0: 3\nrank 0 waited for rank 0: 1\n",
         ONE},
        {"[INFO] rank=0 waits for rank=0: 1 cycles\n[INFO] rank=0 waits for rank=1: 2 cycles\n"
         "[INFO] rank=1 waits for rank=0: 3 cycles\n[INFO] rank=1 waits for rank=1: 4 cycles\n",
         ONE},
        {"rank 0 waited 1 us for rank 0\nrank 0 waited 2 us for rank 1\n"
         "rank 1 waited 3 us for rank 0\nrank 1 waited 4us for rank 1.\n",
         MICRO},
        {"GPU0 waited for GPU0 for 1 us\nGPU0 waited for GPU1 for 2 us\n"
         "GPU1 waited for GPU0 for 3 us\nGPU1 waited for GPU1 for 4 us\n",
         MICRO},
        {"rank 0 waits for rank 0: 1,000 cycles\nrank 0 waits for rank 1: 2,000,000\n"
         "rank 1 waits for rank 0: 3\nrank 1 waits for rank 1: 4\n",
         PARTED},
        {"src=0 dst=0 wait=1,000\nsrc=0 dst=1 wait=2,000,000\nsrc=1 dst=0 wait=3\n"
         "wait=4, src=1, dst=1\n",
         PARTED},
        /* Commas part the fields here, and what is behind the last is none of them. */
        {"src=0,dst=0,wait=1,17\nsrc=0,dst=1,wait=2,100\nsrc=1,dst=0,wait=3\nwait=4,9,src=1,dst="
         "1\n",
         ONE},
        {"wait=1 src=0 dst=0,9\nwait=2 src=0,9 dst=1\nwait=3 src=1 dst=0\nwait=4 src=1 dst=1\n",
         ONE},
        {"src=\"0\",dst=\"0\",wait=\"1,000\"\nsrc=0,dst=1,wait=\"2,000,000\"\nsrc=1,dst=0,wait=3\n"
         "src=1,dst=1,wait=4\n",
         PARTED},
        {"dispatch: rank 0 waits for rank 0: 1\ndispatch: rank 0 waits for rank 1: 2\n"
         "dispatch: rank 1 waits for rank 0: 3\ndispatch: rank 1 waits for rank 1: 4\n"
         "combine: rank 0 waits for rank 0: 5\ncombine: rank 0 waits for rank 1: 6\n"
         "combine: rank 1 waits for rank 0: 7\ncombine: rank 1 waits for rank 1: 8\n",
         BOTH},
        {"2025-11-26 03:00:00,123 rank 0 waits for rank 1: 2\n"
         "2025-11-26 03:00:00,123 rank 0 waits for rank 2: 3\n"
         "2025-11-26 03:00:00,123 rank 1 waits for rank 0: 4\n"
         "loading\n"
         "2025-11-26 03:00:00,123 rank 1 waits for rank 2: 6\n"
         "2025-11-26 03:00:00,123 rank 2 waits for rank 0: 7\n"
         "2025-11-26 03:00:00,123 rank 2 waits for rank 1: 8\n",
         NO_OWN},
    };
    READ_ALL_OF(cases);
    static const bad_case bad[] = {
        {"rank 0 waits for rank 1: 5 more tries\nrank 1 waits for rank 0: 6 more tries\n",
         DXT_ERR_FORMAT, "t:2: no window: neither a recording nor rows of a matrix"},
        /* Commas that part no thousands. */
        {"rank 0 waits for rank 1: 1,5\nrank 1 waits for rank 0: 2,5\n", DXT_ERR_FORMAT,
         "t:2: no window: neither a recording nor rows of a matrix"},
        {"src=0 dst=1 wait=1,5\nsrc=1 dst=0 wait=12,3456\n", DXT_ERR_FORMAT, NAMES},
        {"src=0 dst=1 wait=1234,567\nsrc=1 dst=0 wait=0,123\n", DXT_ERR_FORMAT, NAMES},
        {"rank 0 waits for rank 1: 5\nrank 1 waits for rank 2: 6\n", DXT_ERR_FORMAT,
         "t:2: no window: the 2 lines of two ranks and a wait lack some pairs of ranks"},
    };
    REFUSE(bad);
    read_without_memory(cases[0].text);
}

static void others_say_such_things(void **state)
{
    (void)state;
    /* Between rows, once, or of a few ranks. */
    assert_told("[3] 10 2 3\n[3] 4 5 6\nrank 0 waits for rank 1: 5\n[3] 7 8 9\n", TEN,
                "t:1: each row begins with rank 3: read as one matrix that rank 3 printed, whose "
                "rows are ranks 0, 1, ...");
    static const read_case stray[] = {
        {"rank 3 waited 5 us for rank 1\n\n1 2\n3 4\n", ONE},
        {"1 2\n3 4\n\nrank 0 waited 5 s for rank 1\nrank 2 waited 5 s for rank 1\n", ONE},
        {"1 2\n3 4\n\nrank 0 waited 5 s for rank 1\nok\nrank 0 waited 5 s for rank 1\n", ONE},
        {"rank 0 waited 5 s for rank 1\nrank 2 waited 5 s for rank 1\n1 2\n3 4\n", ONE},
        {"waits\nrank 0 waited 5 s for rank 1\nINFO: 1 2 3\nINFO: 4 5 6\nINFO: 7 8 9\n", THREE},
        {"1 2\n3 4\n\ndispatch: rank 0 waited 5 s for rank 1\ncombine: rank 2 waited 5 s for rank "
         "1\n",
         ONE},
        {"GPU0 -> GPU1: 1\nGPU1 -> GPU0: 1\n\n1 2\n3 4\n", ONE},
        {"dispatch:\n1 2\n3 4\n\nGPU0 -> GPU1: 1\nGPU1 -> GPU0: 1\n", ONE},
        {"retry 0 -> 1: 3s\nretry 1 -> 0: 3s\n\n1 2\n3 4\n", ONE},
        {"1 2\n3 4\n\nretry 0 -> 1: 3s\nretry 2 -> 1: 3s\n", ONE},
        {"rank 0 waited 5 s for rank 1\n(0, 0): 1\n(0, 1): 2\n(1, 0): 3\n(1, 1): 4\n", ONE},
        {"src=0 dst=0 wait=1\nsrc=0 dst=1 wait=2\nrank 0 waited 5 s for rank 1\n"
         "src=1 dst=0 wait=3\nsrc=1 dst=1 wait=4\n",
         ONE},
        {"rank 0 waited 5 s for rank 1\n[{\"src\": 0, \"dst\": 0, \"wait\": 1}, {\"src\": 0, "
         "\"dst\": 1, "
         "\"wait\": 2}, {\"src\": 1, \"dst\": 0, \"wait\": 3}, {\"src\": 1, \"dst\": 1, \"wait\": "
         "4}]\n",
         ONE},
        {"1 2\n3 4\n\nrank 0 waited 5 s for rank 1\nGPU0 -> GPU1: 1\nGPU1 -> GPU0: 1\n", ONE},
    };
    READ_ALL_OF(stray);
    static const char *const arrows[] = {"wait GPU0 -> GPU1: 2\nwait GPU1 -> GPU0: 3\n",
                                         "dispatch:\nGPU0 => GPU1: 2\nGPU1 => GPU0: 3\n",
                                         "wait 0 -> 1: 2\nwait 1 -> 0: 3\n"};
    for (size_t i = 0; i < LENGTH(arrows); i++) assert_reads(arrows[i], NONE_OWN);
    /* What stands in front of the sentence is none of it. */
    assert_told("worker 2: rank 0 waited 5 ms; rank 0 waits for rank 1: 2\n"
                "worker 2: rank 0 waited 5 ms; rank 1 waits for rank 0: 3\n",
                NONE_OWN, "");
}

static void only_ranks_that_wait_stand_in_front(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "12:00:00 column %d: %d %d 3\n", "2026-01-02 12:00:00 column %d: %d %d 3\n",
        "step 7 dst %d: [%d, %d, 3]\n",  "step 7 waited for rank %d: [%d, %d, 3]\n",
        "rank 0 column %d: %d %d 3\n",
    };
    for (size_t i = 0; i < LENGTH(lines); i++) {
        char text[256] = "";
        for (int k = 0; k < 3; k++)
            snprintf(text + strlen(text), sizeof text - strlen(text), lines[i], k, 10 + k, 20);
        dxt_text out = {0};
        dxt_reader *reader = open_text(text, strlen(text));
        told_so_far[0] = '\0';
        dxt_reader_on_remark(reader, keep_told, NULL);
        read_all(reader, &out);
        assert_non_null(strstr(told_so_far, "line 3 may say that the axes are turned"));
        free(out.data);
        dxt_reader_close(reader);
    }
}

static void waits_are_called_by_names(void **state)
{
    (void)state;
    static const read_case cases[] = {
        {"src=1 dst=1 wait=4\nsrc=0 dst=0 wait=1\nsrc=0 dst=1 wait=2\nsrc=1 dst=0 wait=3\n", ONE},
        {"# TYPE x counter\nx_wait{src=\"0\",dst=\"0\"} 1\nx_wait{src=\"0\",dst=\"1\"} 2\n"
         "x_wait{src=\"1\",dst=\"0\"} 3 1732600000\nx_wait{src=\"1\",dst=\"1\"} 4\n",
         ONE},
        {"step=5 rank=0 peer=0 wait_us=1\nstep=5 rank=0 peer=1 wait_us=2\n"
         "step=5 rank=1 peer=0 wait_us=3\nstep=5 rank=1 peer=1 wait_us=4\n",
         MICRO},
        /* The first pair again begins the next matrix. */
        {"src=0 dst=1 wait=2\nsrc=1 dst=0 wait=3\nsrc=0 dst=1 wait=5\nsrc=1 dst=0 wait=6\n",
         PLAIN("dispatch", "0", "[[null,2],[3,null]]")
             PLAIN("dispatch", "1", "[[null,5],[6,null]]")},
        {"src,dst,wait\n0,1,2\n1,0,3\n0,1,5\n1,0,6\n",
         PLAIN("dispatch", "0", "[[null,2],[3,null]]")
             PLAIN("dispatch", "1", "[[null,5],[6,null]]")},
        /* Cells in any order. */
        {"[0][1]=2 [0][0]=1\n[1][0]=3 [1][1]=4\n", ONE},
        {"[0][1]=2 [0][0]=1 [1][0]=3 [1][1]=4\n", ONE},
        {"wait[1][1] = 4\nwait[0][1] = 2\nwait[1][0] = 3\nwait[0][0] = 1\n", ONE},
        {"(1, 1): 4us\n(0, 1): 2us\n(1, 0): 3us\n(0, 0): 1us\n", MICRO},
    };
    READ_ALL_OF(cases);
    static const bad_case bad[] = {
        {"src=10.0.0.1 dst=10.0.0.2 wait=5\nsrc=10.0.0.2 dst=10.0.0.1 wait=6\n", DXT_ERR_FORMAT,
         "t:2: no window: neither a recording nor rows of a matrix"},
        {"(1, 1): 4\n(0, 1): 2us\n(1, 0): 3us\n(0, 0): 1us\n", DXT_ERR_FORMAT,
         "t:1: some values have a unit of time, others have none"},
    };
    REFUSE(bad);
    read_without_memory(cases[0].text);
}

static void numbers_of_metrics_are_whole(void **state)
{
    (void)state;
    static const read_case cases[] = {
        {"wait{src=\"0\",dst=\"1\"} 2e+00\nwait{src=\"1\",dst=\"0\"} 3E0 1732600000\n", NONE_OWN},
        {"src=0 dst=1 wait_us=1.5e+03\nsrc=1 dst=0 wait_us=2e-2\n", MICRO_OWN},
        {"rank 0 waited 1.5e3 us for rank 1\nrank 1 waited 2e-2 us for rank 0\n", MICRO_OWN},
        {"wait{src=\"0\",dst=\"1\"} 2 # {trace=\"a\"} 7\nwait{src=\"1\",dst=\"0\"} 3\n", NONE_OWN},
    };
    READ_ALL_OF(cases);
    assert_told("wait_us{src=\"0\",dst=\"1\"} 1.5e+03\nwait_us{src=\"1\",dst=\"0\"} 2e-2\n",
                MICRO_OWN, "t:1: the values are in \302\265s, as line 2 says");
    static const bad_case bad[] = {
        {"wait{src=\"0\",dst=\"1\"} 5x\nwait{src=\"1\",dst=\"0\"} 6x\n", DXT_ERR_FORMAT,
         "t:2: no window: line 1 is a wait of two ranks by their names; write the lines as "
         "numbers, \"waiting rank,awaited rank,wait\", in order (0,0,5 then 0,1,7)"},
    };
    REFUSE(bad);
}

static void counts_are_no_waits(void **state)
{
    (void)state;
    static const char *const names[] = {
        "wait_us_count{src=\"%d\",dst=\"%d\"} 2\n",
        "wait_us_bucket{src=\"%d\",dst=\"%d\",le=\"5\"} 2\n",
        "wait_us{src=\"%d\",dst=\"%d\",le=\"5\"} 2\n",
        "waiters{src=\"%d\",dst=\"%d\"} 2\n",
        "wait_timeouts_total{src=\"%d\",dst=\"%d\"} 2\n",
        "dispatch_bytes{src=\"%d\",dst=\"%d\"} 2\n",
    };
    for (size_t k = 0; k < LENGTH(names); k++) {
        char text[128];
        snprintf(text, sizeof text, names[k], 0, 1);
        snprintf(text + strlen(text), sizeof text - strlen(text), names[k], 1, 0);
        const bad_case bad[] = {
            {text, DXT_ERR_FORMAT, "t:2: no window: neither a recording nor rows of a matrix"}};
        REFUSE(bad);
    }
    /* Beside the sums they are left out. */
    assert_reads(
        "wait_cycles_sum{src=\"0\",dst=\"1\"} 2\nwait_cycles_count{src=\"0\",dst=\"1\"} 9\n"
        "wait_cycles_sum{src=\"1\",dst=\"0\"} 3\nwait_cycles_count{src=\"1\",dst=\"0\"} 8\n",
        NONE_OWN);
    assert_reads("wait_cost_total{src=\"0\",dst=\"1\"} 2\nwait_cost_total{src=\"1\",dst=\"0\"} 3\n",
                 NONE_OWN);
    assert_reads("src=0 dst=1 wait_count=7 wait=2\nsrc=1 dst=0 wait_count=8 wait=3\n", NONE_OWN);
}

static void sums_beside_a_matrix_are_left_out(void **state)
{
    (void)state;
    static const read_case cases[] = {
        {"rank,r0,r1,mean\n0,1,2,1.5\n1,3,4,3.5\n", ONE},
        {"r0,r1,total\n1,2,3\n3,4,7\n", ONE},
        {"rank;r0;r1;Total\n0;1;2;3\n1;3;4;7\nTotal;4;6;10\n", ONE},
        {"rank\tr0\tr1\tmax\n0\t1\t2\t2\n1\t3\t4\t4\n", ONE},
        {"| rank | 0 | 1 | avg |\n|---|---|---|---|\n| 0 | 1 | 2 | 1.5 |\n| 1 | 3 | 4 | 3.5 |\n"
         "| **avg** | 2 | 3 | 2.5 |\n",
         ONE},
        {"   0  1  2  mean  std\n0  1  2  3   2.0  0.8\n1  4  5  6   5.0  0.8\n"
         "2  7  8  9   8.0  nan\n",
         THREE},
        {"dispatch\nrank,r0,r1,sum\n0,1,2,3\n1,3,4,7\n\ncombine\nrank,r0,r1,sum\n0,5,6,11\n"
         "1,7,8,15\n",
         BOTH},
        /* No heading of numbered columns. */
        {"waits in total\n1 2 3\n4 5 6\n7 8 9\n", THREE},
    };
    READ_ALL_OF(cases);
}

static void a_shape_is_said_beside_a_list(void **state)
{
    (void)state;
    static const read_case cases[] = {
        {"{\"shape\": [2, 2], \"data\": [1, 2, 3, 4]}\n", ONE},
        {"{\"data\": [1, 2, 3, 4], \"dtype\": \"int64\",\n \"shape\": [2, 2]}\n", ONE},
        {"{\"rows\": 2, \"cols\": 2, \"values\": [1, 2, 3, 4]}\n", ONE},
        {"{\"n\": 2, \"wait\": [1, 2, 3, 4]}\n", ONE},
        {"{\"dispatch\": {\"shape\": [2, 2], \"data\": [1, 2, 3, 4]}, \"combine\": {\"shape\": [2, "
         "2], \"data\": [5, 6, 7, 8]}}\n",
         BOTH},
        {"{\"shape\": [2, 2], \"dispatch\": [1, 2, 3, 4], \"combine\": [5, 6, 7, 8]}\n", BOTH},
        {"{\"shape\": [2, 2, 2], \"data\": [1, 2, 3, 4, 5, 6, 7, 8]}\n",
         ONE PLAIN("dispatch", "1", "[[5,6],[7,8]]")},
    };
    READ_ALL_OF(cases);
    static const bad_case bad[] = {
        {"{\"shape\": [2, 4], \"data\": [1, 2, 3, 4, 5, 6, 7, 8]}\n", DXT_ERR_FORMAT,
         "t:1: the matrix is not square: 2 rows of 4 values"},
        {"{\"shape\": [3, 3], \"data\": [1, 2, 3, 4]}\n", DXT_ERR_FORMAT,
         "t:1: the shape says 9 values, and there are 4"},
        {"{\"rank\": 0, \"tokens\": {\"0\": 1, \"1\": 2}}\n{\"rank\": 1, \"tokens\": {\"0\": 3, "
         "\"1\": 4}}\n",
         DXT_ERR_FORMAT,
         "t:2: no window: the name \"tokens\" says that it counts something other than waits"},
        {"{\"shape\": [2, 2], \"pixels\": [1, 2, 3, 4]}\n", DXT_ERR_FORMAT,
         "t:1: no window: JSON, but no recording (no \"v\", \"phase\", \"ranks\", \"wait\")"},
        {"{\"shape\": [2, 2], \"losses\": [1, 2, 3, 4, 5], \"x\": 1}\n", DXT_ERR_FORMAT,
         "t:1: no window: JSON, but no recording (no \"v\", \"phase\", \"ranks\", \"wait\")"},
    };
    REFUSE(bad);
    read_without_memory(cases[4].text);
}

static void ranks_may_be_sorted_as_text(void **state)
{
    (void)state;
    static const read_case cases[] = {
        {"[{\"0\": 1, \"2\": 3, \"1\": 2},\n{\"2\": 6, \"1\": 5, \"0\": 4},\n"
         "{\"0\": 7, \"1\": 8, \"2\": 9}]\n",
         THREE},
        {"{\"rank\": 0, \"wait\": {\"1\": 2, \"0\": 1}}\n"
         "{\"rank\": 1, \"wait\": {\"0\": 3, \"1\": 4}}\n",
         ONE},
        {"{\"1\": 2, \"0\": 1, \"rank\": 0}\n{\"0\": 3, \"1\": 4, \"rank\": 1}\n", ONE},
        {"{\"rank\": 0, \"dispatch\": {\"0\": 1, \"1\": 2}, \"combine\": {\"0\": 5, \"1\": 6}}\n"
         "{\"rank\": 1, \"dispatch\": {\"0\": 3, \"1\": 4}, \"combine\": {\"0\": 7, \"1\": 8}}\n",
         BOTH},
        {"{\"rank\": 0, \"wait\": {\"1\": 2, \"2\": 3}}\n"
         "{\"rank\": 1, \"wait\": {\"2\": 6, \"0\": 4}}\n"
         "{\"rank\": 2, \"wait\": {\"0\": 7, \"1\": 8}}\n",
         NO_OWN},
    };
    READ_ALL_OF(cases);
    read_without_memory(cases[3].text);
}

static void arguments_of_a_print_are_no_rows(void **state)
{
    (void)state;
#define MESH "device_mesh=DeviceMesh('cuda', [0, 1]), placements=(Shard(dim=0),))"
    static const read_case cases[] = {
        {"DTensor(local_tensor=tensor([[1, 2],\n        [3, 4]]), " MESH "\n", ONE},
        {"DTensor(local_tensor=tensor([[1, 2],\n        [3, 4]], device='cuda:0'), " MESH "\n",
         ONE},
        {"[rank0]: DTensor(local_tensor=tensor([[1, 2], [3, 4]]), "
         "device_mesh=DeviceMesh('cuda', [[0, 1], [2, 3]], mesh_dim_names=('dp', 'ep')), "
         "placements=[Replicate()])\n",
         ONE},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) assert_reads(cases[i].text, cases[i].expected);
    assert_reads("dispatch tensor([[1, 2], [3, 4]], device='cuda:0') combine tensor([[5, 6], [7, "
                 "8]], device='cuda:0')\n",
                 BOTH);
}

static void levels_and_counts_are_no_names(void **state)
{
    (void)state;
    static const read_case cases[] = {
        {"waits\n2025-11-26 03:00:00,123 INFO 10,2,3\n2025-11-26 03:00:00,124 INFO 4,5,6\n"
         "2025-11-26 03:00:00,124 INFO 7,8,9\n",
         TEN},
        {"waits\n2025-11-26 03:00:00,123 WARNING 10 2 3\n2025-11-26 03:00:00,124 WARNING 4 5 6\n"
         "2025-11-26 03:00:00,124 WARNING 7 8 9\n",
         TEN},
        {"2025-11-26 03:00:00,123 INFO    0  1  2\n2025-11-26 03:00:00,123 INFO 0 10  2  3\n"
         "2025-11-26 03:00:00,124 INFO 1  4  5  6\n2025-11-26 03:00:00,124 INFO 2  7  8  9\n",
         TEN},
        {"INFO:     | 1 | 2 | 3 |\nINFO:     | 4 | 5 | 6 |\nINFO:     | 7 | 8 | 9 |\n", THREE},
        {"(EngineCore_0 pid=7)      [,1] [,2] [,3]\n(EngineCore_0 pid=7) [1,]   1    2    3\n"
         "(EngineCore_0 pid=7) [2,]   4    5    6\n(EngineCore_0 pid=7) [3,]   7    8    9\n",
         THREE},
        {"[Rank 0]      [,1] [,2]\n[Rank 0] [1,]   1    2\n[Rank 0] [2,]   3    4\n", ONE},
        {"# thousands of iterations\n1 2\n3 4\n", ONE},
        {"# x1000 runs, wait matrix\n1 2\n3 4\n", ONE},
    };
    READ_ALL_OF(cases);
    static const bad_case bad[] = {
        {"2026-11-27 12:00:01,123 INFO 10 21 30\n2026-11-27 12:00:01,123 INFO 11 20 31\n"
         "2026-11-27 12:00:01,123 INFO 12 22 30\n",
         DXT_ERR_FORMAT,
         "t:3: no window: these 3 lines of 3 values may not be waits: no line names them, and no "
         "rank stands in front; if they are, write \"dispatch:\" above them"},
    };
    REFUSE(bad);
    static const char *const factors[] = {"# wait, in thousands of cycles", "# wait (thousands)",
                                          "# wait x1000", "# wait in millions per token"};
    for (size_t i = 0; i < LENGTH(factors); i++) {
        char text[128];
        snprintf(text, sizeof text, "%s\n1 2\n3 4\n", factors[i]);
        assert_told(text, ONE,
                    "t:2: line 1 has a factor or a unit that is not applied: the values are read "
                    "as they stand");
    }
}

static void a_page_holds_lines(void **state)
{
    (void)state;
#define HEADER(name)                                                                    \
    "[2025-09-15T16:28:53.686] [Diagnose] InstanceID: a EPSize: 2, diagnose: {}, " name \
    " Wait Recv Cost Per Token Matrix[src_rank, dst_rank]"
#define LOGGED                                                                                  \
    "{\"v\":1,\"instance\":\"a\",\"begin\":\"2025-09-15T16:28:53.686\",\"phase\":\"dispatch\"," \
    "\"window\":"                                                                               \
    "0,\"ranks\":2,\"unit\":\"cycles\",\"wait\":[[1,2],[3,4]]}\n"
    static const read_case cases[] = {
        {"<html><body>" HEADER(
             "Dispatch") "<br>rank=0 [1 2]<br/>rank=1 [3 4]<BR /></body></html>\n",
         LOGGED},
        {"<p>" HEADER("Dispatch") "</p><p>rank=0 [1 2]</p><p>rank=1 [3 4]</p>\n", LOGGED},
        {"<pre>" HEADER("Dispatch") "&#10;rank=0&nbsp;[1 2]&#10;rank=1 [3 4]</pre>\n", LOGGED},
        {"<pre>[[1 2]<br> [3 4]]</pre>\n", ONE},
    };
    READ_ALL_OF(cases);
    read_without_memory(cases[0].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_are_said_in_sentences),
        cmocka_unit_test(others_say_such_things),
        cmocka_unit_test(only_ranks_that_wait_stand_in_front),
        cmocka_unit_test(waits_are_called_by_names),
        cmocka_unit_test(numbers_of_metrics_are_whole),
        cmocka_unit_test(counts_are_no_waits),
        cmocka_unit_test(sums_beside_a_matrix_are_left_out),
        cmocka_unit_test(a_shape_is_said_beside_a_list),
        cmocka_unit_test(ranks_may_be_sorted_as_text),
        cmocka_unit_test(arguments_of_a_print_are_no_rows),
        cmocka_unit_test(levels_and_counts_are_no_names),
        cmocka_unit_test(a_page_holds_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
