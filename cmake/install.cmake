# What `cmake --install` puts where: the program, its driver libraries and scenarios, and a package with which anybody builds
# drivers and harnesses for it: find_package(vmbsim), then vmbsim_add_driver() and vmbsim_add_harness().
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/vmbsim)

install(TARGETS vmbsim RUNTIME)
install(DIRECTORY ${PROJECT_BINARY_DIR}/drivers/ DESTINATION ${VMBSIM_DRIVER_FOLDER} FILES_MATCHING PATTERN "*.so")
install(DIRECTORY ${PROJECT_BINARY_DIR}/hunts/ DESTINATION ${VMBSIM_HARNESS_FOLDER} FILES_MATCHING PATTERN "*.so")
install(DIRECTORY include/wdk/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/vmbsim/wdk FILES_MATCHING PATTERN "*.h")
install(FILES include/vmbsim/hunt.h include/vmbsim/hunt.hpp include/vmbsim/irql.hpp
        DESTINATION ${VMBSIM_HUNT_HEADER_FOLDER}/vmbsim)
install(DIRECTORY scenarios/ DESTINATION ${CMAKE_INSTALL_DATADIR}/vmbsim/scenarios)
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(VMBSIM_INSTALLED_WDK ${CMAKE_INSTALL_INCLUDEDIR}/vmbsim/wdk)
set(VMBSIM_INSTALLED_HUNT ${VMBSIM_HUNT_HEADER_FOLDER})
configure_package_config_file(cmake/vmbsim-config.cmake.in vmbsim-config.cmake INSTALL_DESTINATION ${package}
                              PATH_VARS VMBSIM_INSTALLED_WDK VMBSIM_INSTALLED_HUNT NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# A library is loaded by the version it was built for and by no other.
write_basic_package_version_file(vmbsim-config-version.cmake COMPATIBILITY ExactVersion)
install(FILES cmake/drivers.cmake cmake/harnesses.cmake cmake/harness_sources.cmake ${VMBSIM_DRIVER_STAMP} ${PROJECT_BINARY_DIR}/vmbsim-config.cmake
              ${PROJECT_BINARY_DIR}/vmbsim-config-version.cmake
        DESTINATION ${package})
