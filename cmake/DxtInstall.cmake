# What is installed, and into which component: packages are made of these (cmake/DxtPackage.cmake).
#
#   library      libdeepxtrace, libdeepxtrace-ep, and the parts that need nothing heavy
#   development  headers, static libraries, CMake and pkg-config files, man pages of the functions
#   command      the command, what it serves, the Python package, completions, documents
#   mpi, cuda    parts that need an MPI, or NVIDIA's libraries
include(CMakePackageConfigHelpers)
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME command)
set(DXT_CONFIG_FOLDER ${CMAKE_INSTALL_LIBDIR}/cmake/deepxtrace)

# dxt_install_library(TARGET DESCRIPTION MODULES object library…)
# A library that programs link: shared, static (libNAME.a), for CMake and for pkg-config.
function(dxt_install_library target description)
  cmake_parse_arguments(L "" "" "MODULES" ${ARGN})
  string(REGEX REPLACE "^deepxtrace-?(.*)$" "\\1" short ${target})
  if(NOT short)
    set(short deepxtrace)
  endif()
  target_include_directories(${target} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${short})
  install(TARGETS ${target} EXPORT deepxtrace
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library
          NAMELINK_COMPONENT development)
  set_property(GLOBAL APPEND PROPERTY DXT_LIBRARIES_library ${target})
  if(DXT_STATIC AND NOT DXT_SANITIZE)
    set(static ${target}_static)
    set(objects "")
    foreach(module ${L_MODULES})
      list(APPEND objects $<TARGET_OBJECTS:${module}>)
    endforeach()
    # One object, in which all names but the public ones are local: a program may have a shm_destroy
    # of its own.
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${target}.o)
    set(names ${PROJECT_SOURCE_DIR}/tests/install/symbols/lib${target}.txt)
    add_custom_command(OUTPUT ${object} DEPENDS ${objects} ${names}
      COMMAND ${CMAKE_LINKER} -r -o ${object} ${objects}
      COMMAND ${CMAKE_OBJCOPY} --keep-global-symbols=${names} ${object}
      COMMENT "Joining the objects of ${target}" COMMAND_EXPAND_LISTS VERBATIM)
    add_library(${static} STATIC ${object})
    target_include_directories(${static} INTERFACE
                               $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    target_link_libraries(${static} INTERFACE Threads::Threads m ${CMAKE_DL_LIBS})
    set_target_properties(${static} PROPERTIES OUTPUT_NAME ${target} EXPORT_NAME ${short}_static
                          LINKER_LANGUAGE C)
    install(TARGETS ${static} EXPORT deepxtrace
            ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
  endif()

  # Relative, so that an installation can be moved.
  file(RELATIVE_PATH DXT_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  set(DXT_PC_NAME ${target})
  set(DXT_PC_DESCRIPTION ${description})
  configure_file(${PROJECT_SOURCE_DIR}/cmake/deepxtrace.pc.in ${PROJECT_BINARY_DIR}/${target}.pc
                 @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${target}.pc
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
endfunction()

# dxt_install_part(TARGET COMPONENT): a library that is loaded, which nobody links.
function(dxt_install_part target component)
  install(TARGETS ${target} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component}
          NAMELINK_SKIP)
  set_property(GLOBAL APPEND PROPERTY DXT_LIBRARIES_${component} ${target})
endfunction()

# dxt_compressed(FROM TO): the same bytes each time.
function(dxt_compressed from to)
  execute_process(COMMAND gzip -9nc ${from} OUTPUT_FILE ${to} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# dxt_install_pages(SECTION COMPONENT PATTERN): manual pages, which Debian wants compressed.
function(dxt_install_pages section component pattern)
  file(GLOB pages CONFIGURE_DEPENDS ${pattern})
  foreach(page ${pages})
    if(DXT_DEBIAN)
      get_filename_component(name ${page} NAME)
      dxt_compressed(${page} ${PROJECT_BINARY_DIR}/${name}.gz)
      set(page ${PROJECT_BINARY_DIR}/${name}.gz)
    endif()
    install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section}
            COMPONENT ${component})
  endforeach()
endfunction()

# What no target makes: headers, documents, examples, the CMake files, and the list of all that was
# installed, which `make uninstall` reads.
macro(dxt_install_rest)
  install(DIRECTORY include/deepxtrace DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
          COMPONENT development)
  dxt_install_pages(1 command docs/man/*.1)
  file(GLOB headers CONFIGURE_DEPENDS include/deepxtrace/*.h)
  set(pages ${PROJECT_BINARY_DIR}/man3)
  file(REMOVE_RECURSE ${pages})
  file(MAKE_DIRECTORY ${pages})
  execute_process(COMMAND awk -v out=${pages} -v version=${PROJECT_VERSION}
                          -f ${PROJECT_SOURCE_DIR}/cmake/man3.awk ${headers}
                  COMMAND_ERROR_IS_FATAL ANY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS cmake/man3.awk ${headers})
  dxt_install_pages(3 development ${pages}/*.3)
  install(FILES README.md CHANGELOG.md CONTRIBUTING.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
  if(NOT DXT_DEBIAN)
    install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
  endif()
  install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} PATTERN man EXCLUDE)
  install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT development)

  configure_package_config_file(cmake/deepxtraceConfig.cmake.in
    ${PROJECT_BINARY_DIR}/deepxtraceConfig.cmake INSTALL_DESTINATION ${DXT_CONFIG_FOLDER}
    NO_SET_AND_CHECK_MACRO)
  # Until 1.0 a minor version may break programs.
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/deepxtraceConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/deepxtraceConfig.cmake
                ${PROJECT_BINARY_DIR}/deepxtraceConfigVersion.cmake
          DESTINATION ${DXT_CONFIG_FOLDER} COMPONENT development)
  install(EXPORT deepxtrace FILE deepxtraceTargets.cmake NAMESPACE deepxtrace::
          DESTINATION ${DXT_CONFIG_FOLDER} COMPONENT development)
  # Added last of all folders, so that the list is whole.
  add_subdirectory(cmake/list)
endmacro()
