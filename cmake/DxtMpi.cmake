# Parts that need an MPI are built once for each that is there.

# Imported targets DXT_MPI_openmpi and DXT_MPI_mpich, and their names in DXT_MPIS.
pkg_check_modules(DXT_MPI_openmpi IMPORTED_TARGET ompi-c)
pkg_check_modules(DXT_MPI_mpich IMPORTED_TARGET mpich)
set(DXT_MPIS)
foreach(mpi openmpi mpich)
  if(DXT_MPI_${mpi}_FOUND)
    list(APPEND DXT_MPIS ${mpi})
    message(STATUS "MPI: ${mpi} ${DXT_MPI_${mpi}_VERSION}")
  else()
    message(STATUS "MPI: ${mpi} not found, its parts are left out")
  endif()
endforeach()

# dxt_mpi_part(NAME MPI SOURCES … [LIBS …])
# Library NAME-MPI, which is loaded when it is asked for.
function(dxt_mpi_part name mpi)
  cmake_parse_arguments(P "" "" "SOURCES;LIBS;INCLUDES" ${ARGN})
  set(part ${name}-${mpi})
  add_library(${part} SHARED ${P_SOURCES})
  target_include_directories(${part} PRIVATE ${PROJECT_SOURCE_DIR}/include ${P_INCLUDES})
  # The libraries only: what a distribution wants compiled and linked with it is for its own.
  target_include_directories(${part} SYSTEM PRIVATE ${DXT_MPI_${mpi}_INCLUDE_DIRS})
  target_link_libraries(${part} PRIVATE dxt_flags Threads::Threads m ${P_LIBS}
                        ${DXT_MPI_${mpi}_LINK_LIBRARIES})
  target_link_options(${part} PRIVATE -Wl,--no-undefined -Wl,--as-needed)
  set_target_properties(${part} PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0
                        INSTALL_RPATH "$ORIGIN")
  dxt_install_part(${part} mpi)
endfunction()
