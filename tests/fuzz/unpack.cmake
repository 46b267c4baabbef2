# What the command unpacks, and the readers behind it.
set(cli ${PROJECT_SOURCE_DIR}/tools/deepxtrace/cli)
dxt_fuzz(fuzz_unpack SOURCES fuzz/fuzz_unpack.c ${cli}/unpack.c ${cli}/inflate.c ${cli}/zip.c ${cli}/layers.c ${cli}/tar.c ${cli}/unzstd.c ${PROJECT_SOURCE_DIR}/src/system/zstd.c ${cli}/carried.c MODULES base matrix
         LIBS ${CMAKE_DL_LIBS} CORPUS fuzz/corpus/fuzz_unpack RUNS 17500)
target_include_directories(fuzz_unpack PRIVATE ${cli})
if(ZLIB_FOUND)
  target_compile_definitions(fuzz_unpack PRIVATE DXT_HAVE_ZLIB)
  target_link_libraries(fuzz_unpack PRIVATE PkgConfig::ZLIB)
endif()
