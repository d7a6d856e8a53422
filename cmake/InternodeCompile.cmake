# How every target of the project is compiled.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
# All shared libraries are the system's. A search path of the programs' own,
# which CMake pads for the installation, would lead through the current
# directory: hundreds of files that are not there, or a stranger's library.
set(CMAKE_SKIP_RPATH ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

option(INTERNODE_WERROR "Treat warnings as errors" ${PROJECT_IS_TOP_LEVEL})
set(INTERNODE_SANITIZE "" CACHE STRING "Sanitizers: address,undefined or thread")

find_program(INTERNODE_CCACHE ccache)
if(INTERNODE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${INTERNODE_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${INTERNODE_CCACHE})
endif()

add_library(internode_compile INTERFACE)
target_compile_options(internode_compile INTERFACE
  -Wall -Wextra -Wshadow
  $<$<COMPILE_LANGUAGE:CXX>:-Wconversion -Wnon-virtual-dtor -Woverloaded-virtual>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  # GCC 12 reports std::string's operator+ (GCC bug 105651).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
  # The same arithmetic on every machine: no multiply-add is fused unless the
  # code says so.
  -ffp-contract=off
  $<$<BOOL:${INTERNODE_WERROR}>:-Werror>)

if(CMAKE_UNITY_BUILD)
  # What is global in one source is none of the next one's business; the plain
  # build looks for names that are hidden.
  target_compile_options(internode_compile INTERFACE -Wno-shadow)
endif()

if(INTERNODE_SANITIZE)
  # What the sanitizers add makes GCC doubt variables that are initialised.
  target_compile_options(internode_compile INTERFACE
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  add_compile_options(-fsanitize=${INTERNODE_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${INTERNODE_SANITIZE})
endif()
