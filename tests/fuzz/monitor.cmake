# What the monitor takes from outside: requests, stores, and files that are followed.
if(TARGET dxt_monitor)
  # The threads of a server allocate while the next input is tried: what has leaked is known at the end.
  set(flags_of_http -detect_leaks=0)
  set(runs_of_http 85000)
  set(runs_of_store 7200)
  set(runs_of_follow 9700)
  foreach(kind http store follow)
    dxt_fuzz(fuzz_${kind} SOURCES fuzz/fuzz_${kind}.c support/monitor_folder.c
             MODULES base numeric matrix analysis history render report library monitor
             CORPUS fuzz/corpus/fuzz_${kind} RUNS ${runs_of_${kind}} MAX_LEN 4096
             FLAGS ${flags_of_${kind}})
    target_include_directories(fuzz_${kind} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/support)
  endforeach()
endif()
