# The library for MPI programs, with an MPI and mailboxes of the test's own.
dxt_test(test_pmpi SOURCES unit/test_pmpi.c ${PROJECT_SOURCE_DIR}/tools/pmpi/find.c
         ${PROJECT_SOURCE_DIR}/tools/pmpi/pmpi.c
         ${PROJECT_SOURCE_DIR}/tools/pmpi/record.c ${PROJECT_SOURCE_DIR}/tools/pmpi/say.c
         ${PROJECT_SOURCE_DIR}/tools/pmpi/watch.c
         MODULES base numeric probe matrix analysis history render gather report session library
         LIBS ${CMAKE_DL_LIBS} WRAP_ALLOC)
target_include_directories(test_pmpi PRIVATE ${PROJECT_SOURCE_DIR}/tools/pmpi
                           ${PROJECT_BINARY_DIR}/rooms/system)
target_link_options(test_pmpi PRIVATE
                    -Wl,--wrap=dxt_gather_create_mpi,--wrap=dxt_mpi_find_place,--wrap=dxt_mpi_start)
# The library finds MPI's functions by their names.
set_target_properties(test_pmpi PROPERTIES ENABLE_EXPORTS ON)

dxt_test(test_pmpi_record SOURCES unit/test_pmpi_record.c ${PROJECT_SOURCE_DIR}/tools/pmpi/record.c
         ${PROJECT_SOURCE_DIR}/tools/pmpi/say.c WRAP_ALLOC)
target_include_directories(test_pmpi_record PRIVATE ${PROJECT_SOURCE_DIR}/tools/pmpi
                           ${PROJECT_BINARY_DIR}/rooms/system)
target_link_options(test_pmpi_record PRIVATE -Wl,--wrap=fstat)
