foreach(kind recording log plain prefix print npy)
  dxt_fuzz(fuzz_${kind} SOURCES fuzz/fuzz_reader.c MODULES base matrix LIBS ${CMAKE_DL_LIBS}
           CORPUS fuzz/corpus/fuzz_${kind})
endforeach()
dxt_fuzz(fuzz_json SOURCES fuzz/fuzz_json.c MODULES base matrix
         LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS} CORPUS fuzz/corpus/fuzz_json MAX_LEN 1024)
