/* SPDX-License-Identifier: Apache-2.0 */
/* Our reader of JSON and jansson's must agree on what is JSON, and on what a string says. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "matrix/json.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Limits that are jansson's own: the size of a number, U+0000 in a name. */
static int is_limit(const json_error_t *error)
{
    enum json_error_code code = json_error_code(error);
    return code == json_error_numeric_overflow || code == json_error_null_byte_in_key;
}

static void compare_strings(const dxt_json *at, const json_t *theirs)
{
    dxt_json json = *at;
    char *ours;
    if (dxt_json_string(&json, &ours) == DXT_OK) {
        require(strlen(ours) == json_string_length(theirs));
        require(strcmp(ours, json_string_value(theirs)) == 0);
        free(ours);
    } else {
        /* the one thing that a string of C cannot hold */
        require(strlen(json_string_value(theirs)) != json_string_length(theirs));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    /* A line holds no newline, which jansson takes for white space, as it takes NUL for the end. */
    if (size == 0 || memchr(text, '\n', size) || memchr(text, '\0', size)) return 0;
    dxt_json json = {text, text, text + size, NULL};
    dxt_json before = json;
    int ours = dxt_json_skip(&json) && !dxt_json_space(&json);
    json_error_t error;
    json_t *theirs = json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!theirs) {
        require(!ours || is_limit(&error));
        return 0;
    }
    require(ours || (json.why && strcmp(json.why, "the value is nested too deeply") == 0));
    double number;
    if (json_is_string(theirs)) compare_strings(&before, theirs);
    if (json_is_real(theirs) && dxt_json_double(&before, &number))
        require(number == json_real_value(theirs));
    json_decref(theirs);
    return 0;
}
