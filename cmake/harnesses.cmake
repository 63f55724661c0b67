# vmbsim_add_harness(NAME SOURCES files...)
#
# Makes NAME.so of a harness for `vmbsim hunt`, in C or C++, against include/vmbsim/hunt.h and hunt.hpp. By hand:
#   g++ -std=c++20 -shared -fPIC -I include NAME.cpp -o NAME.so
#
# A harness made here carries a digest of its sources (harness_sources.cmake says which), so that a repro of it replays on every
# build of them, by whatever compiler. Made by hand it is known by the bytes of the library: a repro replays on that file.
#
# VMBSIM_HUNT_DIR is the folder above vmbsim/hunt.hpp.
function(vmbsim_add_harness name)
  cmake_parse_arguments(H "" "" "SOURCES" ${ARGN})
  list(GET H_SOURCES 0 first)
  cmake_path(GET first EXTENSION LAST_ONLY extension)
  set(sources)
  foreach(source ${H_SOURCES})
    cmake_path(ABSOLUTE_PATH source NORMALIZE)
    list(APPEND sources ${source})
  endforeach()
  set(stem ${CMAKE_CURRENT_BINARY_DIR}/${name}-sources)
  set(script ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/harness_sources.cmake)
  add_custom_command(
    OUTPUT ${stem}${extension}
    COMMAND ${CMAKE_COMMAND} "-DSOURCES=${sources}" -DSAID=${stem}.txt -DOUT=${stem}${extension} -DDEPFILE=${stem}.d
            -P ${script}
    DEPENDS ${sources} ${stem}.txt ${script}
    DEPFILE ${stem}.d
    VERBATIM)
  add_library(${name} MODULE ${H_SOURCES} ${stem}${extension})
  target_include_directories(${name} SYSTEM PRIVATE ${VMBSIM_HUNT_DIR})
  # Functions and statics that a library shares with the program or its other loads would be none of this one.
  target_compile_options(${name} PRIVATE -fvisibility=hidden $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  set_target_properties(${name} PROPERTIES PREFIX "" C_STANDARD 11 CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON)
  # How it is compiled is known when its folder is through.
  cmake_language(EVAL CODE "cmake_language(DEFER CALL vmbsim_say_harness [[${name}]] [[${stem}.txt]])")
endfunction()

# What its target says, for harness_sources.cmake: definitions on the first line, folders of headers on the second.
function(vmbsim_say_harness name file)
  get_target_property(definitions ${name} COMPILE_DEFINITIONS)
  get_target_property(folders ${name} INCLUDE_DIRECTORIES)
  if(NOT definitions)
    set(definitions)
  endif()
  list(REMOVE_ITEM folders ${VMBSIM_HUNT_DIR})
  list(JOIN definitions " " definitions)
  list(JOIN folders "|" folders)
  file(CONFIGURE OUTPUT ${file} CONTENT "definitions ${definitions}\nfolders ${folders}\n" @ONLY)
endfunction()
