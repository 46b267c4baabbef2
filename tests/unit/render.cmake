dxt_test(test_render_model SOURCES unit/test_render_model.c MODULES base matrix render
         LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS} WRAP_ALLOC)
dxt_test(test_render SOURCES unit/test_render.c unit/test_render_windows.c
         MODULES base matrix render LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS} WRAP_ALLOC)
dxt_test(test_render_golden SOURCES unit/test_render_golden.c unit/test_render_windows.c
         MODULES base matrix render LIBS ${CMAKE_DL_LIBS})
dxt_test(test_render_part SOURCES unit/test_render_part.c unit/test_render_windows.c
         MODULES base matrix render LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS})
if(TARGET deepxtrace-cairo)
  # Loaded at run time: build it first, and expect it.
  add_dependencies(test_render_part deepxtrace-cairo)
  target_compile_definitions(test_render_part PRIVATE EXPECT_CAIRO)
endif()
dxt_test(test_render_timeline SOURCES unit/test_render_timeline.c
         MODULES base matrix render LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS} WRAP_ALLOC)
dxt_test(test_page_shelf SOURCES unit/test_page_shelf.c MODULES base matrix render
         LIBS ${CMAKE_DL_LIBS})
dxt_test(test_page SOURCES unit/test_page.c unit/test_render_windows.c
         MODULES base matrix render LIBS PkgConfig::JANSSON ${CMAKE_DL_LIBS} WRAP_ALLOC)
