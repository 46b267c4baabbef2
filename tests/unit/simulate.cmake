# The model behind `deepxtrace simulate` and `deepxtrace bench accuracy`.
set(tools ${PROJECT_SOURCE_DIR}/tools/deepxtrace)
dxt_test(test_simulate SOURCES unit/test_simulate.c ${tools}/simulate_model.c
         ${tools}/simulate_row.c ${tools}/simulate_truth.c ${tools}/simulate_faults.c
         ${tools}/bench_logratio.c ${tools}/bench_score.c ${tools}/options.c ${tools}/output.c
         MODULES base matrix analysis LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS} WRAP_ALLOC)
target_include_directories(test_simulate PRIVATE ${tools})
