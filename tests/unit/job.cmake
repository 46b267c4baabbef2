# What `deepxtrace job` computes and concludes, without starting a job.
set(tools ${PROJECT_SOURCE_DIR}/tools/deepxtrace)
dxt_test(test_job SOURCES unit/test_job.c ${tools}/cli/options.c ${tools}/cli/nearest.c ${tools}/cli/progress.c ${tools}/cli/output.c ${tools}/cli/complain.c
         ${tools}/job/confirm.c ${tools}/job/job.c ${tools}/load/load.c ${tools}/job/sum.c
         LIBS deepxtrace deepxtrace-ep)
target_include_directories(test_job PRIVATE ${tools}/cli ${tools}/load ${tools}/job)

# The load of a rank on a device, on a device that is the process itself.
dxt_test(test_device_load SOURCES unit/test_device_load.c ${tools}/load/device.c
         ${tools}/load/device_load.c ${tools}/load/load.c ${PROJECT_SOURCE_DIR}/src/system/loader.c
         LIBS deepxtrace deepxtrace-ep ${CMAKE_DL_LIBS})
target_include_directories(test_device_load PRIVATE ${tools}/cli ${tools}/load)
