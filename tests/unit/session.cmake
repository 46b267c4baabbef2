foreach(test test_session_mail test_session_windows test_session_told test_session test_session_transports
        test_session_facts test_session_foreign test_session_async test_session_edges test_session_pair)
  dxt_test(${test} SOURCES unit/${test}.c
         MODULES base numeric probe matrix analysis history gather session
           LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS} WRAP_ALLOC)
endforeach()
# The wall clock is set in the test.
target_link_options(test_session_async PRIVATE -Wl,--wrap=dxt_realtime_ns)
dxt_test(test_session_history SOURCES unit/test_session_history.c support/arrivals.c
         MODULES base numeric probe matrix analysis history gather session
         LIBS ${CMAKE_DL_LIBS} WRAP_ALLOC)
dxt_test(test_session_durations SOURCES unit/test_session_durations.c
         MODULES base numeric probe matrix analysis history gather session LIBS ${CMAKE_DL_LIBS}
         WRAP_ALLOC)
