/* SPDX-License-Identifier: Apache-2.0 */
/* What people hand in by mistake, told by the first bytes of the file. */
#include <string.h>

#include "matrix/reader.h"
#include "matrix/scan.h"
#include "system/text.h"

static const struct {
    const char *bytes;
    size_t size;
    const char *what;
} magics[] = {
    {"\xff\xfe\0\0", 4, "UTF-32 text (iconv -f UTF-32 -t UTF-8 FILE | deepxtrace analyze -)"},
    {"\0\0\xfe\xff", 4, "UTF-32 text (iconv -f UTF-32 -t UTF-8 FILE | deepxtrace analyze -)"},
    {"\x89PNG", 4, "a PNG picture"},
    {"\xff\xd8\xff", 3, "a JPEG picture"},
    {"GIF8", 4, "a GIF picture"},
    {"%PDF", 4, "a PDF"},
    {"\x1f\x8b", 2, "gzip data (zcat FILE | deepxtrace analyze -)"},
    {"\x28\xb5\x2f\xfd", 4, "zstd data (zstdcat FILE | deepxtrace analyze -)"},
    {"\x04\x22\x4d\x18", 4, "lz4 data (lz4cat FILE | deepxtrace analyze -)"},
    {"\xfd"
     "7zXZ",
     5, "xz data (xzcat FILE | deepxtrace analyze -)"},
    {"BZh", 3, "bzip2 data (bzcat FILE | deepxtrace analyze -)"},
    {"PK\x03\x04", 4, "a zip archive"},
    {"\x7f"
     "ELF",
     4, "a program"},
    {"<!DOCTYPE html>\n<!-- deepxtrace page", 36,
     "a picture that `deepxtrace heatmap` drew, with no recording inside (`deepxtrace report` "
     "makes "
     "pages that have it)"},
    {"SQLite format 3", 15, "a SQLite database"},
    {"PAR1", 4, "a Parquet file"},
    {"\x89HDF", 4, "an HDF5 file"},
    {"\x80\x02", 2, "a Python pickle, which is never loaded"},
    {"\x80\x03", 2, "a Python pickle, which is never loaded"},
    {"\x80\x04", 2, "a Python pickle, which is never loaded"},
    {"\x80\x05", 2, "a Python pickle, which is never loaded"},
};

/* A matrix, a log or a recording is none of these, whatever words it holds. */
static bool is_ours(const char *bytes, size_t size)
{
    return dxt_has_text(bytes, bytes + size, "EPSize:") ||
           dxt_has_text(bytes, bytes + size, "\"wait\"") ||
           dxt_has_text(bytes, bytes + size, "rank=");
}

const char *dxt_guess(const char *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
        if (size >= magics[i].size && memcmp(bytes, magics[i].bytes, magics[i].size) == 0)
            return magics[i].what;
    if (is_ours(bytes, size)) return NULL;
    const char *at = bytes, *end = bytes + size;
    while (at < end && dxt_is_blank(*at)) at++;
    size_t left = (size_t)(end - at);
    if (left == 0) return NULL;
    if (dxt_has_text(at, at + left, "\"traceEvents\"") ||
        (dxt_has_text(at, at + left, "\"ph\"") && dxt_has_text(at, at + left, "\"ts\"")))
        return "a trace of events (Chrome or PyTorch profiler)";
    if (dxt_has_text(at, at + left, "busbw") && dxt_has_text(at, at + left, "algbw"))
        return "the table of nccl-tests";
    if (dxt_has_text(at, at + left, "spreadsheetml")) return "an Excel workbook (save it as CSV)";
    if (dxt_has_text(at, at + left, "numpy=") || dxt_has_text(at, at + left, "[[")) return NULL;
    if (*at == '<' && left > 4 && (at[1] == '!' || at[1] == '?' || dxt_is_letter(at[1])))
        return dxt_has_text(at, at + left, "<svg") ? "an SVG picture"
                                                   : "HTML or XML (save the table in it as CSV)";
    return NULL;
}
