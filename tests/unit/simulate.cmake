# The model behind `deepxtrace simulate` and `deepxtrace bench accuracy`.
set(tools ${PROJECT_SOURCE_DIR}/tools/deepxtrace)
dxt_test(test_simulate SOURCES unit/test_simulate.c ${tools}/simulate/model.c
         ${tools}/simulate/row.c ${tools}/simulate/truth.c ${tools}/simulate/faults.c
         ${tools}/bench/logratio.c ${tools}/bench/score.c ${tools}/cli/options.c ${tools}/cli/nearest.c ${tools}/cli/progress.c
         ${tools}/cli/output.c
         MODULES base numeric matrix analysis history
         LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS} WRAP_ALLOC)
target_include_directories(test_simulate PRIVATE ${tools}/cli ${tools}/simulate ${tools}/bench)
