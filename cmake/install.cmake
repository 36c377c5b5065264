# cmake --install: the program, the library, its public headers, and what find_package(drover) needs.
include(CMakePackageConfigHelpers)

set(config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/drover")
install(TARGETS drover RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(TARGETS libdrover EXPORT drover-targets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY include/drover DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.hpp")
install(EXPORT drover-targets NAMESPACE drover:: DESTINATION "${config_dir}")

configure_package_config_file(cmake/drover-config.cmake.in "${CMAKE_CURRENT_BINARY_DIR}/drover-config.cmake"
                              INSTALL_DESTINATION "${config_dir}" NO_SET_AND_CHECK_MACRO)
# Below 1.0 a new minor version may break what an embedding program compiles against.
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/drover-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/drover-config.cmake" "${CMAKE_CURRENT_BINARY_DIR}/drover-config-version.cmake"
        DESTINATION "${config_dir}")
