# The expert-parallel library; its tests see its insides as well.
set(reference support/ep_reference.c support/ep_run.c)
dxt_test(test_ep_numerics SOURCES unit/test_ep_numerics.c ${reference} MODULES ep)
dxt_test(test_ep_create SOURCES unit/test_ep_create.c ${reference} MODULES ep WRAP_ALLOC)
dxt_test(test_ep_faults SOURCES unit/test_ep_faults.c ${reference} MODULES ep)
dxt_test(test_ep_wait SOURCES unit/test_ep_wait.c ${reference} MODULES ep)
dxt_test(test_ep_shm SOURCES unit/test_ep_shm.c ${reference} MODULES ep)
dxt_test(test_nccl_version SOURCES unit/test_nccl_version.c MODULES ep)
set_property(TEST test_ep_create APPEND PROPERTY ENVIRONMENT "DEEPXTRACE_PARTS=${PROJECT_BINARY_DIR}/lib")
foreach(test test_ep_numerics test_ep_create test_ep_faults test_ep_wait test_ep_shm test_nccl_version)
  target_include_directories(${test} PRIVATE ${PROJECT_SOURCE_DIR}/ep)
endforeach()

dxt_test(test_cuda_words SOURCES unit/test_cuda_words.c)
target_include_directories(test_cuda_words PRIVATE ${PROJECT_BINARY_DIR}/rooms/system
  ${PROJECT_SOURCE_DIR}/tests/stand_in)

# The host half of what runs on GPUs is compiled on every machine, against stand-ins for the headers of
# CUDA and NCCL, with warnings as errors. Nothing of it is linked.
file(GLOB cuda_host CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/ep/cuda/*.c
     ${PROJECT_SOURCE_DIR}/tools/cuda/*.c)
add_library(dxt_cuda_host OBJECT ${cuda_host})
target_include_directories(dxt_cuda_host PRIVATE ${PROJECT_SOURCE_DIR}/tests/stand_in
  ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/ep ${PROJECT_BINARY_DIR}/rooms/system
  ${PROJECT_SOURCE_DIR}/tools/deepxtrace/load)
target_link_libraries(dxt_cuda_host PRIVATE dxt_flags)
target_compile_options(dxt_cuda_host PRIVATE -Werror)
add_test(NAME nccl_found COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/unit/nccl_found.sh ${CMAKE_COMMAND})
set_tests_properties(nccl_found PROPERTIES LABELS unit TIMEOUT 120
  ENVIRONMENT "DXT_SOURCE_DIR=${PROJECT_SOURCE_DIR}")

# The kernels on a CPU (tests/emulated/): each file as C++, with a stand-in for CUDA that runs it.
if(CMAKE_CXX_COMPILER AND NOT DXT_SANITIZE AND NOT CMAKE_CROSSCOMPILING)
  file(GLOB kernels CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/ep/cuda/combine_*.cu
       ${PROJECT_SOURCE_DIR}/ep/cuda/dispatch_*.cu)
  set_source_files_properties(${kernels} PROPERTIES LANGUAGE CXX)
  add_executable(test_ep_kernels emulated/test_ep_kernels.cpp ${kernels}
                 ${PROJECT_SOURCE_DIR}/ep/cuda/layout.c ${reference})
  target_include_directories(test_ep_kernels PRIVATE emulated support ${PROJECT_SOURCE_DIR}/ep
                             ${PROJECT_SOURCE_DIR}/include)
  target_compile_options(test_ep_kernels PRIVATE
    $<$<COMPILE_LANGUAGE:CXX>:-include;${CMAKE_CURRENT_SOURCE_DIR}/emulated/access.h;-std=c++17;-U_FORTIFY_SOURCE;-Wall;-Wno-unknown-pragmas;-Wno-unused-function;-Wno-parentheses>)
  target_compile_definitions(test_ep_kernels PRIVATE _GNU_SOURCE)
  target_link_libraries(test_ep_kernels PRIVATE deepxtrace deepxtrace-ep Threads::Threads m)
  add_test(NAME test_ep_kernels COMMAND test_ep_kernels)
  set_tests_properties(test_ep_kernels PROPERTIES LABELS unit TIMEOUT 400)
endif()
