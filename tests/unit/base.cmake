dxt_test(test_base SOURCES unit/test_base.c MODULES base LIBS ${CMAKE_DL_LIBS} WRAP_ALLOC)
