# Debian packages by CPack, one for each component that has something to offer on such a system:
# scripts/build-deb.sh. What Debian wants of a package (copyright, changelog, compressed pages) is
# installed only with DXT_DEBIAN.
if(NOT DXT_DEBIAN)
  return()
endif()

# What the loader and dpkg want to know of the libraries of a package.
macro(dxt_debian_libraries)
  set(shlibs "")
  foreach(library ${libraries})
    string(APPEND shlibs "lib${library} 0 ${package} (>= ${PROJECT_VERSION})\n")
  endforeach()
  file(WRITE ${folder}/shlibs "${shlibs}")
  file(WRITE ${folder}/triggers "activate-noawait ldconfig\n")
  set(CPACK_DEBIAN_${COMPONENT}_PACKAGE_CONTROL_EXTRA ${folder}/shlibs ${folder}/triggers)
  # CPack's scripts call ldconfig whatever the triggers say. Parts are loaded by name: nobody links
  # them.
  set(overrides "${package}: maintscript-calls-ldconfig *\n")
  if(NOT component STREQUAL library)
    string(APPEND overrides "${package}: package-name-doesnt-match-sonames *\n")
  endif()
  file(WRITE ${folder}/overrides "${overrides}")
  install(FILES ${folder}/overrides RENAME ${package} COMPONENT ${component}
          DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/lintian/overrides)
endmacro()

set(packages library:libdeepxtrace0 development:libdeepxtrace-dev command:deepxtrace)
if(DXT_MPIS)
  list(APPEND packages mpi:deepxtrace-mpi)
endif()
# Who packs it answers for it: Debian's tools take the address from the same variables.
set(maintainer_name "DeepXTrace developers")
set(maintainer_mail "unknown@localhost.invalid")
if(DEFINED ENV{DEBFULLNAME})
  set(maintainer_name "$ENV{DEBFULLNAME}")
endif()
if(DEFINED ENV{DEBEMAIL})
  set(maintainer_mail "$ENV{DEBEMAIL}")
endif()
set(maintainer "${maintainer_name} <${maintainer_mail}>")
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC) # SOURCE_DATE_EPOCH, if it is set
foreach(pair ${packages})
  string(REGEX MATCH "([^:]+):(.+)" pair ${pair})
  set(component ${CMAKE_MATCH_1})
  set(package ${CMAKE_MATCH_2})
  string(TOUPPER ${component} COMPONENT)
  list(APPEND CPACK_COMPONENTS_ALL ${component})
  set(CPACK_DEBIAN_${COMPONENT}_PACKAGE_NAME ${package})
  set(folder ${PROJECT_BINARY_DIR}/debian/${package})
  configure_file(cmake/debian/copyright ${folder}/copyright COPYONLY)
  configure_file(cmake/debian/changelog.in ${folder}/changelog)
  dxt_compressed(${folder}/changelog ${folder}/changelog.gz)
  install(FILES ${folder}/copyright ${folder}/changelog.gz
          DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${package} COMPONENT ${component})
  get_property(libraries GLOBAL PROPERTY DXT_LIBRARIES_${component})
  if(libraries)
    dxt_debian_libraries()
  endif()
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME deepxtrace)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "${maintainer}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_THREADS 0)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_LIBRARY_OUTPUT_DIRECTORY})
set(CPACK_COMPONENT_DEVELOPMENT_DEPENDS library)
set(CPACK_COMPONENT_COMMAND_DEPENDS library)
set(CPACK_COMPONENT_MPI_DEPENDS library)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_MULTIARCH same)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_COMMAND_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_COMMAND_PACKAGE_DEPENDS "python3 (>= 3.9)")
set(CPACK_DEBIAN_COMMAND_PACKAGE_RECOMMENDS "python3-numpy, libcurl4")
set(CPACK_DEBIAN_COMMAND_PACKAGE_SUGGESTS deepxtrace-mpi)
set(CPACK_DEBIAN_MPI_PACKAGE_SECTION libs)
set(what "slow ranks of expert-parallel communication")
set(why "DeepXTrace measures inside expert-parallel communication how long each rank
waits for every other one, and names the rank, receiver or path that is slow.
")
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "${what} - libraries
${why}
This package has the libraries that programs load.")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "${what} - development
${why}
This package has headers, static libraries, manual pages and examples.")
set(CPACK_COMPONENT_COMMAND_DESCRIPTION "find ${what}
${why}
This package has the command, which starts programs with the diagnosis
attached, analyses and draws recordings, and serves a live page.")
set(CPACK_COMPONENT_MPI_DESCRIPTION "${what} - MPI
${why}
This package has what jobs over Open MPI and MPICH load.")
include(CPack)
