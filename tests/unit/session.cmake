foreach(test test_session_mail test_session test_session_async)
  dxt_test(${test} SOURCES unit/${test}.c MODULES base probe matrix analysis gather session
           LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS} WRAP_ALLOC)
endforeach()
