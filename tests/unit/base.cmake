dxt_test(test_base SOURCES unit/test_base.c MODULES base library matrix LIBS ${CMAKE_DL_LIBS} WRAP_ALLOC)
# What programs call, as they link it.
dxt_test(test_null SOURCES unit/test_null.c MODULES LIBS deepxtrace)
# The loader of parts, on its own.
add_library(dxt_loader_part MODULE support/loader_part.c)
target_link_libraries(dxt_loader_part PRIVATE dxt_flags)
set_target_properties(dxt_loader_part PROPERTIES
                      LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
dxt_test(test_loader SOURCES unit/test_loader.c ${PROJECT_SOURCE_DIR}/src/system/loader.c
         LIBS ${CMAKE_DL_LIBS})
add_dependencies(test_loader dxt_loader_part)
target_compile_definitions(test_loader PRIVATE "BUILT_PART=\"$<TARGET_FILE:dxt_loader_part>\"")
# What a program with raised privileges takes from its environment; sanitizers do not run in one.
if(NOT DXT_SANITIZE AND NOT CMAKE_CROSSCOMPILING)
  add_executable(secure_env unit/secure_env.c ${PROJECT_SOURCE_DIR}/src/system/loader.c)
  target_include_directories(secure_env PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(secure_env PRIVATE dxt_flags Threads::Threads ${CMAKE_DL_LIBS})
  add_test(NAME secure_env COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/unit/secure_env.sh
           $<TARGET_FILE:secure_env> $<TARGET_FILE:dxt_loader_part>)
  set_tests_properties(secure_env PROPERTIES LABELS unit TIMEOUT 120 SKIP_RETURN_CODE 77)
  add_dependencies(secure_env dxt_loader_part)
endif()
