# The model behind `deepxtrace simulate` and `deepxtrace bench accuracy`, and the scores of the latter.
set(tools ${PROJECT_SOURCE_DIR}/tools/deepxtrace)
set(model ${tools}/simulate/windows.c ${tools}/simulate/setup.c ${tools}/simulate/row.c
    ${tools}/simulate/truth.c)
dxt_test(test_simulate SOURCES unit/test_simulate.c ${model} ${tools}/simulate/faults.c
         ${tools}/cli/options.c ${tools}/cli/nearest.c ${tools}/cli/progress.c ${tools}/cli/output.c ${tools}/cli/complain.c
         MODULES base numeric matrix LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS} WRAP_ALLOC)
dxt_test(test_score SOURCES unit/test_score.c ${model} ${tools}/bench/logratio.c
         ${tools}/bench/score.c ${tools}/bench/names.c ${tools}/cli/options.c
         ${tools}/cli/nearest.c ${tools}/cli/progress.c ${tools}/cli/output.c ${tools}/cli/complain.c
         MODULES base numeric matrix analysis history LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS})
target_include_directories(test_simulate PRIVATE ${tools}/cli ${tools}/simulate)
target_include_directories(test_score PRIVATE ${tools}/cli ${tools}/simulate ${tools}/bench)
