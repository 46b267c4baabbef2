# Linux on x86-64 or AArch64 with an older C library: the compiler of PyPI's ziglang, and the libraries
# of Debian packages that scripts/portable.sh has unpacked. Set DXT_PORTABLE to that script's folder of
# the machine, whose bin/ has the compiler.
set(DXT_PORTABLE "" CACHE PATH "Folder that scripts/portable.sh made")
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES DXT_PORTABLE)
get_filename_component(machine ${DXT_PORTABLE} NAME)
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${machine})
set(CMAKE_C_COMPILER ${DXT_PORTABLE}/bin/cc)
set(CMAKE_AR ${DXT_PORTABLE}/bin/ar CACHE FILEPATH "")
set(CMAKE_RANLIB ${DXT_PORTABLE}/bin/ranlib CACHE FILEPATH "")
set(CMAKE_SHARED_LINKER_FLAGS_INIT -s)
set(CMAKE_EXE_LINKER_FLAGS_INIT -s)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
