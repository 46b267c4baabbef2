# The command's option parser.
set(tools ${PROJECT_SOURCE_DIR}/tools/deepxtrace)
dxt_fuzz(fuzz_options SOURCES fuzz/fuzz_options.c ${tools}/cli/options.c ${tools}/cli/nearest.c ${tools}/cli/progress.c
         ${tools}/cli/output.c ${tools}/cli/complain.c
         ${tools}/analyze/since.c ${tools}/cli/input.c ${tools}/cli/unpack.c ${tools}/cli/inflate.c ${tools}/cli/zip.c ${tools}/cli/layers.c ${tools}/cli/tar.c ${tools}/cli/unzstd.c ${PROJECT_SOURCE_DIR}/src/system/zstd.c ${tools}/cli/carried.c
         MODULES base numeric matrix analysis history LIBS ${CMAKE_DL_LIBS}
         CORPUS fuzz/corpus/fuzz_options RUNS 2200000 MAX_LEN 512)
target_include_directories(fuzz_options PRIVATE ${tools}/cli ${tools}/analyze)
