dxt_fuzz(fuzz_analysis SOURCES fuzz/fuzz_analysis.c MODULES base numeric matrix analysis
         LIBS ${CMAKE_DL_LIBS} m CORPUS fuzz/corpus/fuzz_analysis RUNS 27000 MAX_LEN 8192)
