/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays as NumPy stores them: every type, both orders of bytes and of axes, and what is refused.
 */
#include "test_matrix_reading.h"

#include "alloc_fail.h"

/* A file of version 1: its head, then the bytes. */
static dxt_text make(const char *head, const void *bytes, size_t size)
{
    dxt_text file = {0};
    size_t length = strlen(head);
    dxt_text_append(&file, "\x93NUMPY\x01\x00", 8);
    dxt_text_append(&file, (char[]){(char)(length & 255), (char)(length >> 8)}, 2);
    dxt_text_puts(&file, head);
    dxt_text_append(&file, bytes, size);
    return file;
}

#define HEAD_OF(type, order, shape) \
    "{'descr': '" type "', 'fortran_order': " order ", 'shape': " shape ", }        \n"

static dxt_status read_file(const dxt_text *file, const char *name, dxt_text *out)
{
    dxt_reader *reader;
    dxt_status status = dxt_reader_open_memory(file->data, file->size, name, &reader);
    if (status != DXT_OK) return status;
    status = read_all(reader, out);
    dxt_reader_close(reader);
    return status;
}

static void check(const char *head, const void *bytes, size_t size, const char *expected)
{
    dxt_text file = make(head, bytes, size), out = {0};
    dxt_status status = read_file(&file, "t", &out);
    if (status != DXT_END) print_error("%s%s\n", head, dxt_error());
    assert_int_equal(status, DXT_END);
    assert_string_equal(out.data, expected);
    free(file.data);
    free(out.data);
}

#define W(phase, window)                                  \
    "{\"v\":1,\"phase\":\"" phase "\",\"window\":" window \
    ",\"ranks\":2,\"unit\":\"cycles\",\"wait\":[[1,2],[3,4]]}\n"

#define M(window, wait)                                  \
    "{\"v\":1,\"phase\":\"dispatch\",\"window\":" window \
    ",\"ranks\":2,\"unit\":\"cycles\",\"wait\":" wait "}\n"

static void all_types_are_read(void **state)
{
    (void)state;
    check(HEAD_OF("<i8", "False", "(2, 2)"), (int64_t[]){1, 2, 3, 4}, 32, W("dispatch", "0"));
    check(HEAD_OF("<i8", "True", "(2, 2)"), (int64_t[]){1, 3, 2, 4}, 32, W("dispatch", "0"));
    check(HEAD_OF("<u8", "False", "(2, 2)"), (int64_t[]){1, 2, 3, 4}, 32, W("dispatch", "0"));
    check(HEAD_OF("<i4", "False", "(2, 2)"), (int32_t[]){1, 2, 3, 4}, 16, W("dispatch", "0"));
    check(HEAD_OF("<u2", "False", "(2, 2)"), (uint16_t[]){1, 2, 3, 4}, 8, W("dispatch", "0"));
    check(HEAD_OF("|i1", "False", "(2, 2)"), (int8_t[]){1, 2, 3, 4}, 4, W("dispatch", "0"));
    check(HEAD_OF("<f8", "False", "(2, 2)"), (double[]){1, 2, 3, 4}, 32, W("dispatch", "0"));
    check(HEAD_OF("<f4", "True", "(2, 2)"), (float[]){1, 3, 2, 4}, 16, W("dispatch", "0"));
    check(HEAD_OF("<f2", "False", "(2, 2)"), (uint16_t[]){0x3c00, 0x4000, 0x4200, 0x4400}, 8,
          W("dispatch", "0"));
    check(HEAD_OF(">i4", "False", "(2, 2)"), "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4", 16,
          W("dispatch", "0"));
    check(HEAD_OF(">f4", "False", "(2, 2)"), "\x3f\x80\0\0\x40\0\0\0\x40\x40\0\0\x40\x80\0\0", 16,
          W("dispatch", "0"));
    check(HEAD_OF("|u1", "False", "(2, 2, 2)"), "\1\2\3\4\1\2\3\4", 8,
          W("dispatch", "0") W("dispatch", "1"));
    /* Columns side by side: of three, and of two by three, whose first axis changes fastest. */
    check(HEAD_OF("|u1", "True", "(3, 2, 2)"), "\1\1\1\3\3\3\2\2\2\4\4\4", 12,
          W("dispatch", "0") W("dispatch", "1") W("dispatch", "2"));
    check(HEAD_OF("|u1", "True", "(2, 3, 2, 2)"),
          "\1\4\2\5\3\6\11\14\12\15\13\16\21\24\22\25\23\26\31\34\32\35\33\36", 24,
          M("0", "[[1,17],[9,25]]") M("1", "[[2,18],[10,26]]") M("2", "[[3,19],[11,27]]")
              M("3", "[[4,20],[12,28]]") M("4", "[[5,21],[13,29]]") M("5", "[[6,22],[14,30]]"));
    /* One axis, or one that is as long as the array. */
    check(HEAD_OF("|u1", "False", "(4,)"), "\1\2\3\4", 4, W("dispatch", "0"));
    check(HEAD_OF("|u1", "False", "(4, 1)"), "\1\2\3\4", 4, W("dispatch", "0"));
    check(HEAD_OF("|u1", "False", "(1, 4)"), "\1\2\3\4", 4, W("dispatch", "0"));
    /* A name may name the operator. */
    dxt_text file = make(HEAD_OF("|u1", "False", "(2, 2)"), "\1\2\3\4", 4), out = {0};
    assert_int_equal(read_file(&file, "dispatch/x.npz:Combine_final.npy", &out), DXT_END);
    assert_string_equal(out.data, W("combine", "0"));
    free(file.data);
    free(out.data);
}

static void refuse(const char *head, const void *bytes, size_t size, const char *message)
{
    dxt_text file = make(head, bytes, size), out = {0};
    assert_int_equal(read_file(&file, "t", &out), DXT_ERR_FORMAT);
    assert_string_equal(dxt_error(), message);
    free(file.data);
    free(out.data);
}

static void others_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *head, *message;
    } heads[] = {
        {HEAD_OF("|O", "False", "(2, 2)"), "it holds Python objects, which are never unpickled"},
        {HEAD_OF("<c8", "False", "(2, 2)"), "it holds neither integers nor real numbers"},
        {HEAD_OF("<i3", "False", "(2, 2)"), "it holds neither integers nor real numbers"},
        {HEAD_OF("<f16", "False", "(2, 2)"), "it holds neither integers nor real numbers"},
        {HEAD_OF("?i8", "False", "(2, 2)"), "its type is not known"},
        {"{'descr': [('a', '<i8')], 'fortran_order': False, 'shape': (2, 2)}",
         "it has fields, but a matrix has numbers"},
        {"{'fortran_order': False, 'shape': (2, 2)}", "its header has no type"},
        {HEAD_OF("<i8", "False", "2"), "its header has no shape"},
        {HEAD_OF("<i8", "False", "(x, 2)"), "its shape is not known"},
        {HEAD_OF("<i8", "False", "()"), "it is not a square matrix"},
        {HEAD_OF("<i8", "False", "(8,)"),
         "it has one axis, but the number of its values is no square"},
        {HEAD_OF("<i8", "False", "(2, 3)"), "it is not a square matrix"},
        {HEAD_OF("<i8", "False", "(1, 1)"), "a matrix has at least 2 ranks"},
        {HEAD_OF("<i8", "False", "(4097, 4097)"), "it has more than 4096 ranks"},
        {HEAD_OF("<i8", "False", "(0, 2, 2)"), "it is empty"},
        {HEAD_OF("<i8", "True", "(134217728, 2, 2)"),
         "several matrices column by column are read up to 1 GiB (numpy.ascontiguousarray())"},
        {HEAD_OF("<i8", "False", "(9223372036854775807, 9, 2, 2)"), "it has too many matrices"},
    };
    for (size_t i = 0; i < LENGTH(heads); i++) {
        char message[160];
        snprintf(message, sizeof message, "t:1: a NumPy array: %s", heads[i].message);
        refuse(heads[i].head, "", 0, message);
    }
    refuse(HEAD_OF("<i4", "False", "(2, 2)"), (int32_t[]){1, 2, -3, 4}, 16,
           "t:1: row 1, column 0: negative: the counter ran over");
    refuse(HEAD_OF("<u8", "False", "(2, 2)"), (int64_t[]){1, 2, -3, 4}, 32,
           "t:1: row 1, column 0: above 2^63 - 1");
    refuse(HEAD_OF("<f2", "False", "(2, 2)"), (uint16_t[]){0x7c00, 0, 0, 0}, 8,
           "t:1: row 0, column 0: not a number");
    refuse(HEAD_OF("<f8", "True", "(2, 2)"), (double[]){1, -2, 3, 4}, 32,
           "t:1: row 1, column 0: negative: the counter ran over");
    refuse(HEAD_OF("<i4", "True", "(2, 2, 2)"), (int32_t[]){1, 2}, 8,
           "t:1: the array ends after 8 of 32 bytes");
    refuse(HEAD_OF("<i8", "False", "(2, 2)"), (int64_t[]){1, 2}, 16,
           "t:1: the array ends after 1 of 2 rows");
    dxt_text out = {0};
    assert_int_equal(
        read_file(&(dxt_text){.data = (char[]){"\x93NUMPY\x09\0\0\0xx"}, .size = 12}, "t", &out),
        DXT_ERR_FORMAT);
    assert_string_equal(dxt_error(), "t:1: a NumPy array: its format version is not 1 to 3");
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    dxt_text file = make(HEAD_OF("<f8", "False", "(2, 2)"), (double[]){1, 2, 3, 4}, 32);
    dxt_status status;
    long k = 1;
    for (;; k++) {
        dxt_text out = {0};
        alloc_fail_arm(k);
        status = read_file(&file, "t", &out);
        bool failed = alloc_fail_disarm();
        free(out.data);
        if (!failed) break;
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
    }
    assert_int_equal(status, DXT_END);
    assert_true(k > 5);
    free(file.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_types_are_read),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
