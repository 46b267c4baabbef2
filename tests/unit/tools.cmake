# Parts of the command that can be tested without starting it.
set(tools ${PROJECT_SOURCE_DIR}/tools/deepxtrace)
dxt_test(test_options SOURCES unit/test_options.c ${tools}/cli/options.c ${tools}/cli/nearest.c ${tools}/cli/progress.c ${tools}/cli/output.c ${tools}/cli/complain.c
         MODULES base LIBS ${CMAKE_DL_LIBS})
target_include_directories(test_options PRIVATE ${tools}/cli)

# Files that it writes.
dxt_test(test_output SOURCES unit/test_output.c ${tools}/cli/options.c ${tools}/cli/nearest.c ${tools}/cli/progress.c
         ${tools}/cli/output.c ${tools}/cli/complain.c ${tools}/cli/output_file.c ${tools}/cli/temporary.c
         MODULES base LIBS ${CMAKE_DL_LIBS} WRAP_ALLOC)
target_include_directories(test_output PRIVATE ${tools}/cli)
target_link_options(test_output PRIVATE -Wl,--wrap=rename,--wrap=renameat2)

# What `analyze` tells of a recording.
dxt_test(test_select SOURCES unit/test_select.c ${tools}/analyze/about.c ${tools}/analyze/changes.c
         ${tools}/analyze/since.c ${tools}/cli/options.c ${tools}/cli/nearest.c ${tools}/cli/progress.c
         ${tools}/cli/output.c ${tools}/cli/complain.c
         MODULES base numeric matrix analysis LIBS ${CMAKE_DL_LIBS} WRAP_ALLOC)
target_include_directories(test_select PRIVATE ${tools}/analyze ${tools}/cli)
if(ZLIB_FOUND)
  dxt_test(test_unpack SOURCES unit/test_unpack.c ${tools}/cli/unpack.c ${tools}/cli/inflate.c ${tools}/cli/zip.c ${tools}/cli/layers.c ${tools}/cli/tar.c ${tools}/cli/unzstd.c ${PROJECT_SOURCE_DIR}/src/system/zstd.c ${tools}/cli/carried.c
           MODULES base matrix LIBS PkgConfig::ZLIB ${CMAKE_DL_LIBS} WRAP_ALLOC)
  target_include_directories(test_unpack PRIVATE ${tools}/cli)
  target_compile_definitions(test_unpack PRIVATE DXT_HAVE_ZLIB)
endif()

# Which files are one log.
dxt_test(test_files SOURCES unit/test_files.c ${tools}/cli/files.c ${tools}/cli/options.c ${tools}/cli/nearest.c
         ${tools}/cli/progress.c ${tools}/cli/output.c ${tools}/cli/complain.c ${tools}/cli/unpack.c ${tools}/cli/inflate.c ${tools}/cli/zip.c ${tools}/cli/layers.c ${tools}/cli/tar.c ${tools}/cli/unzstd.c ${PROJECT_SOURCE_DIR}/src/system/zstd.c
         ${tools}/cli/carried.c
         MODULES base matrix LIBS ${CMAKE_DL_LIBS} WRAP_ALLOC)
target_include_directories(test_files PRIVATE ${tools}/cli)

# What `compare` finds.
dxt_test(test_compare SOURCES unit/test_compare.c ${tools}/compare/cause.c ${tools}/compare/change.c
         ${tools}/compare/compare.c ${tools}/compare/operator.c
         ${tools}/compare/paths.c MODULES base
         LIBS ${CMAKE_DL_LIBS} WRAP_ALLOC)
target_include_directories(test_compare PRIVATE ${tools}/compare ${tools}/cli)

# What `top` keeps and shows.
dxt_test(test_top SOURCES unit/test_top.c ${tools}/top/watched.c ${tools}/top/screen.c ${tools}/draw/explained.c ${tools}/draw/track.c ${tools}/cli/input.c
         ${tools}/cli/local_time.c
         ${tools}/cli/unpack.c ${tools}/cli/inflate.c ${tools}/cli/zip.c ${tools}/cli/layers.c ${tools}/cli/tar.c ${tools}/cli/unzstd.c ${PROJECT_SOURCE_DIR}/src/system/zstd.c ${tools}/cli/carried.c ${tools}/cli/options.c ${tools}/cli/nearest.c
         ${tools}/cli/progress.c ${tools}/cli/output.c ${tools}/cli/complain.c
         MODULES base numeric matrix analysis history render report LIBS ${CMAKE_DL_LIBS} WRAP_ALLOC)
target_include_directories(test_top PRIVATE ${tools}/top ${tools}/cli ${tools}/analyze ${tools}/draw)
# Files that `top` follows.
if(ZLIB_FOUND)
  dxt_test(test_growing SOURCES unit/test_growing.c ${tools}/top/growing.c ${tools}/top/growing_log.c
           ${tools}/cli/unpack.c ${tools}/cli/inflate.c ${tools}/cli/zip.c ${tools}/cli/layers.c ${tools}/cli/tar.c ${tools}/cli/unzstd.c
           ${PROJECT_SOURCE_DIR}/src/system/zstd.c ${tools}/cli/carried.c ${tools}/cli/options.c
           ${tools}/cli/nearest.c ${tools}/cli/progress.c ${tools}/cli/output.c ${tools}/cli/complain.c
           MODULES base matrix LIBS PkgConfig::ZLIB ${CMAKE_DL_LIBS} WRAP_ALLOC)
  target_include_directories(test_growing PRIVATE ${tools}/top ${tools}/cli)
  target_compile_definitions(test_growing PRIVATE DXT_HAVE_ZLIB)
endif()
