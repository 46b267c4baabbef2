# The expert-parallel library; its tests see its insides as well.
set(reference support/ep_reference.c support/ep_run.c)
dxt_test(test_ep_numerics SOURCES unit/test_ep_numerics.c ${reference} MODULES ep)
dxt_test(test_ep_create SOURCES unit/test_ep_create.c ${reference} MODULES ep WRAP_ALLOC)
dxt_test(test_ep_faults SOURCES unit/test_ep_faults.c ${reference} MODULES ep)
dxt_test(test_ep_shm SOURCES unit/test_ep_shm.c ${reference} MODULES ep)
foreach(test test_ep_numerics test_ep_create test_ep_faults test_ep_shm)
  target_include_directories(${test} PRIVATE ${PROJECT_SOURCE_DIR}/ep)
endforeach()
