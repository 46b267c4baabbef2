dxt_test(test_gather SOURCES unit/test_gather.c MODULES base gather LIBS ${CMAKE_DL_LIBS} WRAP_ALLOC)
dxt_test(test_gather_transport SOURCES unit/test_gather_transport.c MODULES base gather LIBS ${CMAKE_DL_LIBS})
