# How modules and tests are declared.

add_library(dxt_flags INTERFACE)
target_compile_options(dxt_flags INTERFACE
  $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    -Wvla -Wpointer-arith -Wundef -Wformat=2 -Wno-format-nonliteral>)
if(DXT_WERROR)
  target_compile_options(dxt_flags INTERFACE -Werror)
endif()
target_compile_definitions(dxt_flags INTERFACE _GNU_SOURCE)
# Hardening (scripts/check-elf.sh). Fortified calls need optimisation, and hide from a sanitizer what
# they do.
set(dxt_harden -fstack-protector-strong)
if(NOT DXT_SANITIZE AND CMAKE_BUILD_TYPE MATCHES "^(Release|RelWithDebInfo|MinSizeRel)$")
  list(APPEND dxt_harden -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
target_compile_options(dxt_flags INTERFACE "$<$<COMPILE_LANGUAGE:C,CXX>:${dxt_harden}>")
target_link_options(dxt_flags INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
if(DXT_SANITIZE)
  target_compile_options(dxt_flags INTERFACE
    -fsanitize=${DXT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(dxt_flags INTERFACE -fsanitize=${DXT_SANITIZE})
  target_compile_definitions(dxt_flags INTERFACE DXT_SANITIZED)
endif()
if(DXT_FUZZ)
  set(DXT_FUZZ_SECONDS 60 CACHE STRING "How long ctest runs each libFuzzer target")
  set(DXT_FUZZ_SEED 0 CACHE STRING "Seed of each libFuzzer target; 0 is another one in each run")
  # The path of this folder is not in the programs: a fuzzer learns from addresses, and so meets the
  # same inputs wherever the tree lies.
  target_compile_options(dxt_flags INTERFACE -fsanitize=fuzzer-no-link
    -fsanitize-undefined-strip-path-components=-2 -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)
  # What is left of it moves no data.
  target_link_options(dxt_flags INTERFACE -Wl,-z,max-page-size=0x10000 -Wl,-z,common-page-size=0x10000)
endif()

# dxt_room(NAME SEES room… HEADERS public header…)
# Make the folder rooms/NAME of the build tree, which holds what the room may include and nothing
# else: links to its own folder, to those of the rooms that it sees, and to the public headers of
# all these. Who includes more does not compile. DXT_ROOM_NAME receives the path.
function(dxt_room name)
  cmake_parse_arguments(R "" "" "SEES;HEADERS" ${ARGN})
  set_property(GLOBAL PROPERTY DXT_HEADERS_${name} "${R_HEADERS}")
  set(room ${PROJECT_BINARY_DIR}/rooms/${name})
  file(REMOVE_RECURSE ${room})
  file(MAKE_DIRECTORY ${room}/deepxtrace)
  foreach(seen ${name} system ${R_SEES})
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/src/${seen} ${room}/${seen} SYMBOLIC)
    get_property(headers GLOBAL PROPERTY DXT_HEADERS_${seen})
    foreach(header ${headers})
      file(CREATE_LINK ${PROJECT_SOURCE_DIR}/include/deepxtrace/${header}
           ${room}/deepxtrace/${header} SYMBOLIC)
    endforeach()
  endforeach()
  set(DXT_ROOM_${name} ${room} PARENT_SCOPE)
endfunction()

# dxt_module(NAME SOURCES … [SEES room…] [HEADERS public header…] [LIBS …])
# A room of src/: an object library dxt_NAME that becomes part of libdeepxtrace and of the tests
# that name it. It is compiled with the include paths of the rooms that it sees (dxt_room);
# scripts/check-layers.sh reads SEES and HEADERS as well.
function(dxt_module name)
  cmake_parse_arguments(M "" "" "SOURCES;SEES;HEADERS;LIBS" ${ARGN})
  dxt_room(${name} SEES ${M_SEES} HEADERS ${M_HEADERS})
  set(DXT_ROOM_${name} ${DXT_ROOM_${name}} PARENT_SCOPE)
  add_library(dxt_${name} OBJECT ${M_SOURCES})
  target_include_directories(dxt_${name} PRIVATE ${DXT_ROOM_${name}})
  target_link_libraries(dxt_${name} PRIVATE dxt_flags PUBLIC ${M_LIBS})
  set_property(GLOBAL APPEND PROPERTY DXT_MODULES dxt_${name})
endfunction()

# dxt_test(NAME SOURCES … MODULES … [LIBS …] [LABELS …] [TIMEOUT seconds] [ARGS …] [WRAP_ALLOC])
# A cmocka program linked with the objects of the named modules, so that it sees what they hide.
# WRAP_ALLOC routes their allocations through tests/support/alloc_fail.h.
function(dxt_test name)
  cmake_parse_arguments(T "WRAP_ALLOC" "TIMEOUT" "SOURCES;MODULES;LIBS;LABELS;ARGS" ${ARGN})
  add_executable(${name} ${T_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/include
                             ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests/support)
  target_link_libraries(${name} PRIVATE dxt_flags PkgConfig::CMOCKA Threads::Threads m ${T_LIBS})
  foreach(module ${T_MODULES})
    target_link_libraries(${name} PRIVATE dxt_${module})
  endforeach()
  if(T_WRAP_ALLOC)
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/alloc_fail.c)
    target_link_options(${name} PRIVATE -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
                        -Wl,--wrap=strdup,--wrap=strndup,--wrap=aligned_alloc,--wrap=qsort)
  endif()
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  add_test(NAME ${name} COMMAND ${name} ${T_ARGS})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${T_TIMEOUT} SKIP_RETURN_CODE 77
    LABELS "unit;${T_LABELS}"
    ENVIRONMENT "DXT_SOURCE_DIR=${PROJECT_SOURCE_DIR};DXT_BUILD_DIR=${PROJECT_BINARY_DIR};DEEPXTRACE_RUN_DELAY=0")
endfunction()

# dxt_vectors(NAME)
# Options of a module with loops for vectors. Figures must not depend on which vectors a machine has:
# no fused multiply-add where it has them. GCC must not unroll a loop over lanes before it makes
# vectors of it, since it then makes none.
function(dxt_vectors name)
  target_compile_options(dxt_${name} PRIVATE -ffp-contract=off
    $<$<C_COMPILER_ID:GNU>:--param=max-completely-peel-times=7>)
endfunction()

# dxt_fuzz(NAME SOURCES … MODULES … [LIBS …] CORPUS directory RUNS n [MAX_LEN bytes] [FLAGS …])
# A libFuzzer program and a ctest of label "fuzz" that runs it for DXT_FUZZ_SECONDS. With a seed it
# tries n inputs, as many as a core of 2026 does in a minute (half of one for the oldest targets), so
# that a fast machine meets no others than a slow one, which may take twice the time. The seeds in
# CORPUS, relative to the current source directory, are only read: what is found goes into the build
# directory, and so does the input that made it fail. The target "fuzzers" builds them all.
# In a build without fuzzing the seeds alone are replayed, as a unit test.
function(dxt_fuzz name)
  cmake_parse_arguments(F "" "CORPUS;RUNS;MAX_LEN" "SOURCES;MODULES;LIBS;FLAGS" ${ARGN})
  add_executable(${name} ${F_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/include
                             ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests/support)
  target_link_libraries(${name} PRIVATE dxt_flags Threads::Threads m ${F_LIBS})
  foreach(module ${F_MODULES})
    target_link_libraries(${name} PRIVATE dxt_${module})
  endforeach()
  if(NOT DXT_FUZZ)
    target_sources(${name} PRIVATE fuzz/replay.c)
    add_test(NAME ${name} COMMAND ${name} ${CMAKE_CURRENT_SOURCE_DIR}/${F_CORPUS})
    set_tests_properties(${name} PROPERTIES TIMEOUT 120 LABELS unit)
    return()
  endif()
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  if(NOT TARGET fuzzers)
    add_custom_target(fuzzers)
  endif()
  add_dependencies(fuzzers ${name})
  if(NOT F_MAX_LEN)
    set(F_MAX_LEN 16384)
  endif()
  set(most -1)
  set(seconds ${DXT_FUZZ_SECONDS})
  if(DXT_FUZZ_SEED)
    set(most ${F_RUNS})
    math(EXPR seconds "2 * ${seconds}")
  endif()
  set(found ${PROJECT_BINARY_DIR}/fuzz/${name})
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  math(EXPR limit "${seconds} + 120")
  # -reload=0: what is read again once a second would depend on the clock.
  add_test(NAME ${name} COMMAND ${PROJECT_SOURCE_DIR}/scripts/fuzz.sh $<TARGET_FILE:${name}> ${found}
    ${CMAKE_CURRENT_SOURCE_DIR}/${F_CORPUS} -max_total_time=${seconds} -seed=${DXT_FUZZ_SEED}
    -runs=${most} -reload=0 -timeout=30 -rss_limit_mb=2048 -max_len=${F_MAX_LEN} -print_final_stats=1 ${F_FLAGS})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${limit} LABELS fuzz)
endfunction()
