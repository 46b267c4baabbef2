# CUDA: looked for here, and left out with a line that says why. Nothing but the parts that are
# declared with dxt_cuda_part() is compiled with it or links it.
#
#   DXT_CUDA       OFF leaves it out
#   DXT_CUDA_ROOT  folder with bin/nvcc, where it is not found by itself (CUDACXX, CUDA_HOME,
#                  CUDA_PATH, PATH, /usr/local/cuda, the wheels nvidia-cuda-nvcc and the like)
#   DXT_NCCL_ROOT  folder with include/nccl_device.h and lib/libnccl.so.2, likewise
#   DXT_CUDA_ARCHITECTURES  machine code for these; later GPUs compile what is for the last of them
option(DXT_CUDA "Build the CUDA parts where CUDA is found" ON)
set(DXT_CUDA_ROOT "$ENV{DXT_CUDA_ROOT}" CACHE PATH "Folder with bin/nvcc")
set(DXT_NCCL_ROOT "$ENV{DXT_NCCL_ROOT}" CACHE PATH "Folder with include/nccl_device.h")
set(DXT_CUDA_ARCHITECTURES "90" CACHE STRING "GPU architectures to compile for")

# Folders of the wheels: site-packages/nvidia/cu13, …/nvidia/nccl.
function(dxt_cuda_wheels result)
  set(folders "")
  find_program(DXT_PYTHON NAMES python3)
  if(DXT_PYTHON)
    execute_process(
      COMMAND ${DXT_PYTHON} -c "import nvidia; print(';'.join(nvidia.__path__))"
      OUTPUT_VARIABLE folders OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
  set(${result} "${folders}" PARENT_SCOPE)
endfunction()

function(dxt_find_cuda)
  dxt_cuda_wheels(wheels)
  list(TRANSFORM wheels APPEND /cu13 OUTPUT_VARIABLE cuda_wheels)
  list(TRANSFORM wheels APPEND /nccl OUTPUT_VARIABLE nccl_wheels)
  get_filename_component(given "$ENV{CUDACXX}" DIRECTORY)
  find_program(DXT_NVCC nvcc
    HINTS ${DXT_CUDA_ROOT}/bin ${given} $ENV{CUDA_HOME}/bin $ENV{CUDA_PATH}/bin
    PATHS /usr/local/cuda/bin ${cuda_wheels} PATH_SUFFIXES bin)
  mark_as_advanced(DXT_NVCC DXT_PYTHON)
  if(NOT DXT_NVCC)
    set(DXT_CUDA_MISSING "nvcc was not found (DXT_CUDA_ROOT says where)" PARENT_SCOPE)
    return()
  endif()
  # A link in some bin folder is not where the headers are.
  get_filename_component(real ${DXT_NVCC} REALPATH)
  get_filename_component(root ${real} DIRECTORY)
  get_filename_component(root ${root} DIRECTORY)
  find_path(DXT_CUDA_INCLUDE cuda_runtime_api.h
    HINTS ${root}/include ${root}/targets/${CMAKE_SYSTEM_PROCESSOR}-linux/include)
  find_library(DXT_CUDART_STATIC libcudart_static.a
    HINTS ${root}/lib64 ${root}/lib ${root}/targets/${CMAKE_SYSTEM_PROCESSOR}-linux/lib)
  get_filename_component(beside ${root} DIRECTORY)
  find_path(DXT_NCCL_INCLUDE nccl_device.h
    HINTS ${DXT_NCCL_ROOT}/include PATHS ${root}/include ${beside}/nccl ${nccl_wheels}
    PATH_SUFFIXES include)
  # The library that the header belongs to: another one may be of another version. Wheels have no
  # libnccl.so.
  get_filename_component(nccl_root ${DXT_NCCL_INCLUDE} DIRECTORY)
  find_library(DXT_NCCL_LIBRARY NAMES nccl libnccl.so.2 NAMES_PER_DIR
    HINTS ${DXT_NCCL_ROOT}/lib ${nccl_root}/lib64 ${nccl_root}/lib PATHS ${root}/lib64 ${root}/lib ${beside}/nccl ${nccl_wheels}
    PATH_SUFFIXES lib)
  mark_as_advanced(DXT_CUDA_INCLUDE DXT_CUDART_STATIC DXT_NCCL_INCLUDE DXT_NCCL_LIBRARY)
  foreach(needed DXT_CUDA_INCLUDE DXT_CUDART_STATIC DXT_NCCL_INCLUDE DXT_NCCL_LIBRARY)
    if(NOT ${needed})
      set(what_DXT_CUDA_INCLUDE "cuda_runtime_api.h")
      set(what_DXT_CUDART_STATIC "libcudart_static.a")
      set(what_DXT_NCCL_INCLUDE "NCCL's nccl_device.h: pip install nvidia-nccl-cu13, 2.28 or later (DXT_NCCL_ROOT says where it is)")
      set(what_DXT_NCCL_LIBRARY "NCCL's library (DXT_NCCL_ROOT says where)")
      set(DXT_CUDA_MISSING "${DXT_NVCC} is there, but not ${what_${needed}}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  set(DXT_CUDA_FOUND TRUE PARENT_SCOPE)
endfunction()

set(DXT_CUDA_FOUND FALSE)
if(NOT DXT_CUDA)
  set(DXT_CUDA_MISSING "DXT_CUDA is OFF")
elseif(DXT_SANITIZE OR DXT_FUZZ)
  set(DXT_CUDA_MISSING "not with sanitizers")
else()
  dxt_find_cuda()
endif()
if(DXT_CUDA_FOUND)
  execute_process(COMMAND ${DXT_NVCC} --version OUTPUT_VARIABLE version ERROR_QUIET)
  string(REGEX MATCH "V[0-9.]+" version "${version}")
  set(nccl "")
  file(STRINGS ${DXT_NCCL_INCLUDE}/nccl.h defined REGEX "^#define NCCL_(MAJOR|MINOR|PATCH) ")
  foreach(line ${defined})
    string(REGEX REPLACE "^#define NCCL_[A-Z]+ +" "" number "${line}")
    list(APPEND nccl ${number})
  endforeach()
  list(JOIN nccl . nccl)
  set(how "runs with this version alone")
  if(nccl VERSION_GREATER_EQUAL 2.29)
    set(how "runs with this version and later ones")
  endif()
  message(STATUS "cuda: ${DXT_NVCC} (${version}), NCCL ${nccl} (${how}): ${DXT_NCCL_LIBRARY}")
else()
  message(STATUS "cuda: the CUDA parts are left out: ${DXT_CUDA_MISSING}")
endif()

set(dxt_nvcc_flags -O3 -std=c++17 -lineinfo -Xcompiler=-fPIC,-fvisibility=hidden,-Wall
    --expt-relaxed-constexpr)
foreach(flag ${dxt_harden})
  list(APPEND dxt_nvcc_flags -Xcompiler=${flag})
endforeach()
foreach(architecture ${DXT_CUDA_ARCHITECTURES})
  list(APPEND dxt_nvcc_flags -gencode=arch=compute_${architecture},code=sm_${architecture})
  set(last ${architecture})
endforeach()
list(APPEND dxt_nvcc_flags -gencode=arch=compute_${last},code=compute_${last})

# dxt_cuda_objects(RESULT PREFIX SOURCES … [INCLUDES …] [DEFINITIONS …])
# Compile .cu files; RESULT receives the objects. PREFIX keeps those of several targets apart.
function(dxt_cuda_objects result prefix)
  cmake_parse_arguments(O "" "" "SOURCES;INCLUDES;DEFINITIONS" ${ARGN})
  set(objects "")
  set(flags ${dxt_nvcc_flags})
  foreach(folder ${O_INCLUDES} ${PROJECT_SOURCE_DIR}/include)
    list(APPEND flags -I${folder})
  endforeach()
  foreach(folder ${DXT_NCCL_INCLUDE} ${DXT_CUDA_INCLUDE})
    list(APPEND flags -isystem ${folder})
  endforeach()
  foreach(definition _GNU_SOURCE ${O_DEFINITIONS})
    list(APPEND flags -D${definition})
  endforeach()
  foreach(source ${O_SOURCES})
    get_filename_component(name ${source} NAME_WE)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${prefix}-${name}.cu.o)
    add_custom_command(OUTPUT ${object}
      COMMAND ${DXT_NVCC} -ccbin ${CMAKE_CXX_COMPILER} ${flags} -MD -MF ${object}.d -c ${source}
              -o ${object}
      DEPENDS ${source} DEPFILE ${object}.d
      COMMENT "Compiling ${prefix} ${name}.cu" VERBATIM)
    list(APPEND objects ${object})
  endforeach()
  set(${result} ${objects} PARENT_SCOPE)
endfunction()

# dxt_cuda_link(TARGET): what a target that holds such objects, or calls the runtime, needs.
function(dxt_cuda_link target)
  target_include_directories(${target} SYSTEM PRIVATE ${DXT_CUDA_INCLUDE} ${DXT_NCCL_INCLUDE})
  target_link_libraries(${target} PRIVATE dxt_flags ${DXT_CUDART_STATIC} Threads::Threads
                        ${CMAKE_DL_LIBS} rt m)
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX)
endfunction()

# dxt_cuda_part(NAME EXPORT function SOURCES … [INCLUDES …] [LIBS …] [DEFINITIONS …] [FOLDER …])
# libdeepxtrace-NAME.so.0: a part that is loaded at run time and exports one function. With FOLDER
# it is made in that folder of the build tree, and not installed.
function(dxt_cuda_part name)
  cmake_parse_arguments(P "" "EXPORT;FOLDER" "SOURCES;INCLUDES;LIBS;DEFINITIONS" ${ARGN})
  set(target deepxtrace-${name})
  if(P_FOLDER)
    string(APPEND target -${P_FOLDER})
  endif()
  set(device ${P_SOURCES})
  list(FILTER device INCLUDE REGEX "\\.cu$")
  set(host ${P_SOURCES})
  list(FILTER host EXCLUDE REGEX "\\.cu$")
  dxt_cuda_objects(objects ${target} SOURCES ${device} INCLUDES ${P_INCLUDES}
                   DEFINITIONS ${P_DEFINITIONS})
  add_library(${target} SHARED ${host} ${objects})
  target_include_directories(${target} PRIVATE ${P_INCLUDES} ${PROJECT_SOURCE_DIR}/include)
  target_compile_definitions(${target} PRIVATE ${P_DEFINITIONS})
  dxt_cuda_link(${target})
  target_link_libraries(${target} PRIVATE ${P_LIBS})
  set(map ${CMAKE_CURRENT_BINARY_DIR}/${target}.map)
  file(CONFIGURE OUTPUT ${map} CONTENT "{ global: ${P_EXPORT}; local: *; };\n")
  target_link_options(${target} PRIVATE -Wl,--no-undefined -Wl,--version-script=${map})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME deepxtrace-${name} SOVERSION 0
                        VERSION ${PROJECT_VERSION} INSTALL_RPATH "$ORIGIN")
  if(P_FOLDER)
    set_target_properties(${target} PROPERTIES
                          LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${P_FOLDER})
  else()
    dxt_install_part(${target} cuda)
  endif()
endfunction()
