dxt_test(test_matrix SOURCES unit/test_matrix.c MODULES base matrix LIBS ${CMAKE_DL_LIBS} WRAP_ALLOC)
dxt_test(test_matrix_write SOURCES unit/test_matrix_write.c MODULES base matrix LIBS ${CMAKE_DL_LIBS}
         WRAP_ALLOC)
dxt_test(test_matrix_fields SOURCES unit/test_matrix_fields.c MODULES base matrix
         LIBS ${CMAKE_DL_LIBS} WRAP_ALLOC)
dxt_test(test_matrix_read SOURCES unit/test_matrix_read.c MODULES base matrix LIBS ${CMAKE_DL_LIBS}
         WRAP_ALLOC)
foreach(name text pasted tagged turns between doubt wrapped loss npy units kinds named)
  dxt_test(test_matrix_${name} SOURCES unit/test_matrix_${name}.c MODULES base matrix
           LIBS ${CMAKE_DL_LIBS} WRAP_ALLOC)
endforeach()
