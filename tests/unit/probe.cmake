# A caller with the probe compiled out, built as such a caller would be: optimised, not instrumented.
add_library(probe_disabled OBJECT unit/test_probe_disabled.c)
target_include_directories(probe_disabled PRIVATE ${PROJECT_SOURCE_DIR}/include)
target_compile_options(probe_disabled PRIVATE -O2 -Wall -Wextra -Wpedantic -Wconversion)
if(DXT_WERROR)
  target_compile_options(probe_disabled PRIVATE -Werror)
endif()

dxt_test(test_probe SOURCES unit/test_probe.c $<TARGET_OBJECTS:probe_disabled> MODULES base probe
         LIBS ${CMAKE_DL_LIBS} WRAP_ALLOC)

dxt_test(test_probe_durations SOURCES unit/test_probe_durations.c MODULES base probe
         LIBS ${CMAKE_DL_LIBS} WRAP_ALLOC)

add_test(NAME test_probe_compiled_out
         COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/unit/probe_compiled_out.sh ${CMAKE_NM}
                 $<TARGET_OBJECTS:probe_disabled>)
set_tests_properties(test_probe_compiled_out PROPERTIES LABELS "unit")

# The probe of GPU kernels, compiled for the host, and by nvcc where it is.
dxt_test(test_probe_cuh SOURCES unit/test_probe_cuh.c MODULES base probe)
add_test(NAME test_probe_nvcc
         COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/unit/nvcc.sh
                 ${CMAKE_CURRENT_SOURCE_DIR}/gpu/test_durations_cuda.cu ${DXT_NVCC})
set_tests_properties(test_probe_nvcc PROPERTIES LABELS unit SKIP_RETURN_CODE 77 TIMEOUT 120
  ENVIRONMENT "DXT_SOURCE_DIR=${PROJECT_SOURCE_DIR}")
