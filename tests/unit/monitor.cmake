if(TARGET dxt_monitor)
  dxt_test(test_monitor SOURCES unit/test_monitor.c support/monitor_folder.c
           MODULES base numeric matrix analysis history render report library monitor WRAP_ALLOC)
endif()
