dxt_test(test_base SOURCES unit/test_base.c MODULES base LIBS ${CMAKE_DL_LIBS} WRAP_ALLOC)
# What programs call, as they link it.
dxt_test(test_null SOURCES unit/test_null.c MODULES LIBS deepxtrace)
