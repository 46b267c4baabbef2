# What the monitor takes from outside: requests, stores, and files that are followed.
if(TARGET dxt_monitor)
  foreach(kind http store follow)
    dxt_fuzz(fuzz_${kind} SOURCES fuzz/fuzz_${kind}.c support/monitor_folder.c
             MODULES base numeric matrix analysis history render report monitor
             CORPUS fuzz/corpus/fuzz_${kind} MAX_LEN 4096)
    target_include_directories(fuzz_${kind} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/support)
  endforeach()
endif()
