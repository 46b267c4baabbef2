# The whole line, from bytes to pictures.
dxt_fuzz(fuzz_whole SOURCES fuzz/fuzz_whole.c
         MODULES base numeric matrix analysis history render report
         LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS} CORPUS fuzz/corpus/fuzz_whole RUNS 2200 MAX_LEN 8192)
