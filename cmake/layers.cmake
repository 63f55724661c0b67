# vmbsim_layer(NAME [SOURCES files...] [USES layers...] [LINKS packages...] [HIDES packages...])
#
# Makes one library of the current folder. Its headers are published through a staging folder that holds a link to
# this folder and nothing else, so a file can include only headers of the layers it USES (and of those below them): an
# include that points upward does not compile. LINKS are packages its headers need, HIDES those only its sources need.
function(vmbsim_layer name)
  cmake_parse_arguments(L "" "" "SOURCES;USES;LINKS;HIDES" ${ARGN})
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  set(stage ${PROJECT_BINARY_DIR}/layers/${name})
  cmake_path(GET folder PARENT_PATH parent)
  file(MAKE_DIRECTORY ${stage}/${parent})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${stage}/${folder} SYMBOLIC)
  if(L_SOURCES)
    add_library(${name} STATIC ${L_SOURCES})
    target_include_directories(${name} PUBLIC ${stage})
    target_link_libraries(${name} PUBLIC ${L_USES} ${L_LINKS} PRIVATE ${L_HIDES})
    target_compile_options(${name} PRIVATE ${VMBSIM_WARNINGS} ${VMBSIM_BOTH_FORMS})
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${stage})
    target_link_libraries(${name} INTERFACE ${L_USES} ${L_LINKS})
  endif()
endfunction()

# vmbsim_loads_libraries(PROGRAM): the libraries that it loads find in it what cmake/offered.list names.
function(vmbsim_loads_libraries program)
  set(offered ${PROJECT_SOURCE_DIR}/cmake/offered.list)
  target_link_options(${program} PRIVATE -Wl,--dynamic-list=${offered})
  set_property(TARGET ${program} APPEND PROPERTY LINK_DEPENDS ${offered})
endfunction()

# vmbsim_loads_drivers(PROGRAM): driver libraries find the whole of WDM, KMDF and KMCL in the program, called by it or not.
function(vmbsim_loads_drivers program)
  vmbsim_loads_libraries(${program})
  set_target_properties(${program} PROPERTIES
    LINK_LIBRARY_OVERRIDE "WHOLE_ARCHIVE,models_os,models_kmcl,models_kmdf")
endfunction()

# vmbsim_tests(NAME SOURCES files... USES layers...): one Catch2 program; every test case becomes a ctest test.
function(vmbsim_tests name)
  cmake_parse_arguments(T "" "TIMEOUT" "SOURCES;USES;LABELS" ${ARGN})
  add_executable(${name} ${T_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${T_USES} Catch2::Catch2WithMain)
  # What a test itself does is quickly done: optimising it fully costs more than it gives.
  target_compile_options(${name} PRIVATE ${VMBSIM_WARNINGS} $<$<CONFIG:Release>:-O1> $<$<CONFIG:RelWithDebInfo>:-O0>)
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 300)
  endif()
  if(VMBSIM_SANITIZE)
    math(EXPR T_TIMEOUT "${T_TIMEOUT} * 5")  # checked code is slow, most of all where a test compares whole searches
  endif()
  # A test whose data is elsewhere says so, and ctest shows it as skipped.
  catch_discover_tests(${name} PROPERTIES TIMEOUT ${T_TIMEOUT} SKIP_REGULAR_EXPRESSION "skipped: no "
                       LABELS "${T_LABELS}")
endfunction()
