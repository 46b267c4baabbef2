/* SPDX-License-Identifier: Apache-2.0 */
/* As use.c, from C++: reads a matrix, draws it, analyses it. */
#include <cstdio>
#include <string>

#include <deepxtrace/deepxtrace.h>

static dxt_status append(void *context, const void *data, size_t size)
{
    static_cast<std::string *>(context)->append(static_cast<const char *>(data), size);
    return DXT_OK;
}

int main()
{
    const std::string text = "0 10 900 10\n10 0 900 10\n10 10 0 10\n10 10 900 0\n";
    dxt_reader *reader = nullptr;
    dxt_window *window = nullptr;
    dxt_findings *findings = nullptr;
    std::string drawing;
    bool right = dxt_reader_open_memory(text.data(), text.size(), "text", &reader) == DXT_OK &&
                 dxt_reader_next(reader, &window) == DXT_OK && window->ranks == 4 &&
                 dxt_analyze(window, nullptr, &findings) == DXT_OK;
    if (right) {
        dxt_heatmap_panel panel{};
        panel.window = window;
        right = dxt_heatmap_write(&panel, 1, DXT_FORMAT_SVG, nullptr, append, &drawing) == DXT_OK &&
                drawing.find("<svg") != std::string::npos;
    }
    if (right)
        std::puts(dxt_version());
    else
        std::fprintf(stderr, "%s\n", dxt_error());
    dxt_findings_free(findings);
    dxt_window_free(window);
    dxt_reader_close(reader);
    return right ? 0 : 1;
}
