dxt_test(test_history SOURCES unit/test_history.c support/arrivals.c MODULES base matrix analysis
         WRAP_ALLOC)
dxt_test(test_history_cells SOURCES unit/test_history_cells.c support/arrivals.c
         MODULES base matrix analysis)
dxt_test(test_history_recorded SOURCES unit/test_history_recorded.c MODULES base matrix analysis
         LIBS PkgConfig::JANSSON)
