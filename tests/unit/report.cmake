dxt_test(test_report SOURCES unit/test_report.c MODULES base numeric matrix analysis history report
         LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS} WRAP_ALLOC)
dxt_test(test_report_summary SOURCES unit/test_report_summary.c
         MODULES base numeric matrix analysis history report
         LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS} WRAP_ALLOC)
dxt_test(test_report_causes SOURCES unit/test_report_causes.c
         MODULES base numeric matrix analysis history report
         LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS} WRAP_ALLOC)
