# What `deepxtrace run` computes and concludes, without starting a job.
set(tools ${PROJECT_SOURCE_DIR}/tools/deepxtrace)
dxt_test(test_run SOURCES unit/test_run.c ${tools}/options.c ${tools}/output.c
         ${tools}/run_confirm.c ${tools}/run_job.c ${tools}/run_load.c ${tools}/run_sum.c
         LIBS deepxtrace deepxtrace-ep)
target_include_directories(test_run PRIVATE ${tools})

# The load of a rank on a device, on a device that is the process itself.
dxt_test(test_device_load SOURCES unit/test_device_load.c ${tools}/device.c ${tools}/device_load.c
         ${tools}/run_load.c
         LIBS deepxtrace deepxtrace-ep ${CMAKE_DL_LIBS})
target_include_directories(test_device_load PRIVATE ${tools})
