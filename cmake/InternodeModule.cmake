# internode_module(NAME SOURCES file... [PUBLIC target...] [PRIVATE target...])
#
# Declares the static library internode_NAME, with the alias internode::NAME.
# Includes are written from the root of the repository: "core/chunk_grid.h".
function(internode_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(internode_${name} STATIC ${ARG_SOURCES})
  add_library(internode::${name} ALIAS internode_${name})
  internode_unity(internode_${name})
  target_include_directories(internode_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_link_libraries(internode_${name}
    PUBLIC ${ARG_PUBLIC}
    PRIVATE $<BUILD_INTERFACE:internode_compile> ${ARG_PRIVATE})
endfunction()

option(INTERNODE_UNITY "Compile several sources of a target at a time" ON)

# internode_unity(TARGET) lets a target's sources be compiled several at a time:
# most of the time goes into what they include. Names in their unnamed namespaces
# have to differ.
function(internode_unity target)
  if(INTERNODE_UNITY AND NOT CMAKE_UNITY_BUILD)
    set_target_properties(${target} PROPERTIES
      UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
  endif()
endfunction()

# internode_test(NAME SOURCES file... [LINK target...] [LABELS label...]
#                [TIMEOUT seconds])
#
# One GoogleTest program, registered with CTest under NAME. Labels are `unit`;
# `threads` if it starts threads and gRPC has no part in it: the target
# internode_thread_tests builds all those, which ./tests/run.sh runs under the
# thread sanitizer; `service` if gRPC or the whole command is linked, which takes
# long to build. All others get the label `core`: the target internode_core_tests
# builds them, which ./tests/run.sh runs under the address sanitizer.
function(internode_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  if(INTERNODE_SANITIZE)
    # Everything takes several times as long.
    math(EXPR ARG_TIMEOUT "6 * ${ARG_TIMEOUT}")
  endif()
  add_executable(${name} ${ARG_SOURCES})
  internode_unity(${name})
  # What is tested is optimised; the tests themselves are run once.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest_main
                                        internode_compile)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT "service" IN_LIST ARG_LABELS)
    list(APPEND ARG_LABELS core)
    add_dependencies(internode_core_tests ${name})
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
  if("threads" IN_LIST ARG_LABELS)
    add_dependencies(internode_thread_tests ${name})
  endif()
endfunction()
