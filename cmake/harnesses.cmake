# vmbsim_add_harness(NAME SOURCES files...)
#
# Makes NAME.so of a harness for `vmbsim hunt`, in C or C++, against include/vmbsim/hunt.h and hunt.hpp. By hand:
#   g++ -std=c++20 -shared -fPIC -I include NAME.cpp -o NAME.so
#
# VMBSIM_HUNT_DIR is the folder above vmbsim/hunt.hpp.
function(vmbsim_add_harness name)
  cmake_parse_arguments(H "" "" "SOURCES" ${ARGN})
  add_library(${name} MODULE ${H_SOURCES})
  target_include_directories(${name} SYSTEM PRIVATE ${VMBSIM_HUNT_DIR})
  # Functions and statics that a library shares with the program or its other loads would be none of this one.
  target_compile_options(${name} PRIVATE -fvisibility=hidden $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  set_target_properties(${name} PROPERTIES PREFIX "" C_STANDARD 11 CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON)
endfunction()
