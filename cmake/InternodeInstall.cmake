# What `cmake --install` puts where, and the package that find_package(Internode)
# finds: the target internode::client, with the headers <internode/…>, and
# internode::cli_options, with <internode/cli_options.h>, which needs CLI11 too.
include(CMakePackageConfigHelpers)

# Sets OUT to the project's own targets that TARGET is linked from, itself
# included.
function(internode_linked_modules target out)
  set(found)
  set(waiting ${target})
  while(waiting)
    list(POP_FRONT waiting next)
    string(REPLACE "internode::" "internode_" next "${next}")
    if(NOT TARGET ${next} OR NOT next MATCHES "^internode_" OR next IN_LIST found
       OR next STREQUAL "internode_compile")
      continue()
    endif()
    list(APPEND found ${next})
    get_target_property(linked ${next} LINK_LIBRARIES)
    if(linked)
      list(APPEND waiting ${linked})
    endif()
  endwhile()
  set(${out} ${found} PARENT_SCOPE)
endfunction()

internode_linked_modules(internode_cli_options modules)
foreach(module IN LISTS modules)
  string(REPLACE "internode_" "" name ${module})
  set_target_properties(${module} PROPERTIES EXPORT_NAME ${name})
endforeach()
install(TARGETS ${modules} EXPORT InternodeTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY client/include/internode
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

# The public headers include each other as "internode/…".
set(cli_options_header ${CMAKE_CURRENT_SOURCE_DIR}/client/cli/options.h)
install(FILES ${cli_options_header} RENAME cli_options.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/internode)
install(TARGETS internode internode-scheduler
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Internode)
install(EXPORT InternodeTargets NAMESPACE internode:: DESTINATION ${package_dir})
configure_package_config_file(cmake/InternodeConfig.cmake.in InternodeConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(InternodeConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/InternodeConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/InternodeConfigVersion.cmake
  cmake/FindISAL.cmake
  DESTINATION ${package_dir})
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
