set(runs_of_recording 75000)
set(runs_of_log 50000)
set(runs_of_plain 60000)
set(runs_of_prefix 65000)
set(runs_of_print 70000)
set(runs_of_npy 180000)
foreach(kind recording log plain prefix print npy)
  dxt_fuzz(fuzz_${kind} SOURCES fuzz/fuzz_reader.c MODULES base matrix LIBS ${CMAKE_DL_LIBS}
           CORPUS fuzz/corpus/fuzz_${kind} RUNS ${runs_of_${kind}})
endforeach()
dxt_fuzz(fuzz_json SOURCES fuzz/fuzz_json.c MODULES base matrix
         LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS} CORPUS fuzz/corpus/fuzz_json RUNS 3500000 MAX_LEN 1024)
