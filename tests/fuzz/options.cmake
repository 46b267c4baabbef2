# The command's option parser.
set(tools ${PROJECT_SOURCE_DIR}/tools/deepxtrace)
dxt_fuzz(fuzz_options SOURCES fuzz/fuzz_options.c ${tools}/options.c ${tools}/output.c
         ${tools}/input.c MODULES base matrix analysis LIBS ${CMAKE_DL_LIBS}
         CORPUS fuzz/corpus/fuzz_options MAX_LEN 512)
target_include_directories(fuzz_options PRIVATE ${tools})
