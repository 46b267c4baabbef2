dxt_test(test_history SOURCES unit/test_history.c support/arrivals.c
         MODULES base numeric matrix analysis history)
dxt_test(test_history_memory SOURCES unit/test_history_memory.c support/arrivals.c
         MODULES base numeric matrix analysis history
         WRAP_ALLOC)
dxt_test(test_history_cells SOURCES unit/test_history_cells.c support/arrivals.c
         MODULES base numeric matrix analysis history)
dxt_test(test_history_noise SOURCES unit/test_history_noise.c support/arrivals.c
         MODULES base numeric matrix analysis history)
dxt_test(test_history_recorded SOURCES unit/test_history_recorded.c
         MODULES base numeric matrix analysis history
         LIBS PkgConfig::JANSSON)
dxt_test(test_history_pair SOURCES unit/test_history_pair.c support/arrivals.c
         MODULES base numeric matrix analysis history)
# Numbers of tuning.h, pinned.
foreach(test test_tuning test_tuning_paths test_tuning_links test_tuning_loss test_tuning_operators test_tuning_rules test_tuning_history)
  dxt_test(${test} SOURCES unit/${test}.c MODULES base numeric matrix analysis history)
endforeach()
dxt_test(test_history_still SOURCES unit/test_history_still.c
         MODULES base numeric matrix analysis history report LIBS ${CMAKE_DL_LIBS} WRAP_ALLOC)
dxt_test(test_history_uncounted SOURCES unit/test_history_uncounted.c support/arrivals.c
         MODULES base numeric matrix analysis history)
dxt_test(test_history_nodes SOURCES unit/test_history_nodes.c support/arrivals.c
         MODULES base numeric matrix analysis history)
