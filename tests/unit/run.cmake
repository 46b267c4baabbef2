# What `deepxtrace run` computes and concludes, without starting a job.
set(tools ${PROJECT_SOURCE_DIR}/tools/deepxtrace)
dxt_test(test_run SOURCES unit/test_run.c ${tools}/run_confirm.c ${tools}/run_load.c
         ${tools}/run_sum.c
         LIBS deepxtrace deepxtrace-ep)
target_include_directories(test_run PRIVATE ${tools})
