dxt_test(test_report SOURCES unit/test_report.c MODULES base matrix analysis report
         LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS} WRAP_ALLOC)
dxt_test(test_report_summary SOURCES unit/test_report_summary.c
         MODULES base matrix analysis report LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS} WRAP_ALLOC)
dxt_test(test_report_causes SOURCES unit/test_report_causes.c MODULES base matrix analysis report
         LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS})
