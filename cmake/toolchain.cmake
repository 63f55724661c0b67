# One set of flags for every target, so that a result never depends on which folder computed it.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

# A fused multiply-add rounds once where two operations round twice: forbidden, because samplers
# must give the same bits on every compiler and at every optimisation level.
add_compile_options(-ffp-contract=off -fno-strict-aliasing -fno-omit-frame-pointer)

# Nothing here is replaced at load time, so calls inside the program need no indirection: about 7 % of a run.
add_compile_options(-fno-semantic-interposition -fno-plt)

set(VMBSIM_SANITIZE "" CACHE STRING "Sanitizers, as after -fsanitize= (address, undefined, thread)")
if(VMBSIM_SANITIZE)
  # Checked code takes twice as long to optimise fully, and its backtraces need lines only.
  add_compile_options(-fsanitize=${VMBSIM_SANITIZE} -fno-sanitize-recover=all -O1 -g1)
  add_link_options(-fsanitize=${VMBSIM_SANITIZE})
endif()

# The programs that people run are optimised as a whole in gcc's releases: about 8 % of a run. The layers' objects hold both
# forms, so that the many tests link the plain one at once.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT VMBSIM_SANITIZE)
  set(VMBSIM_BOTH_FORMS -flto=auto -ffat-lto-objects)
  add_link_options(-fno-lto)
endif()
# vmbsim_whole_program(PROGRAM)
function(vmbsim_whole_program program)
  if(VMBSIM_BOTH_FORMS)
    target_compile_options(${program} PRIVATE ${VMBSIM_BOTH_FORMS})
    target_link_options(${program} PRIVATE -flto=auto)
  endif()
endfunction()

option(VMBSIM_FUZZ "Build the libFuzzer programs of tests/fuzz (clang)" OFF)
if(VMBSIM_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)  # everywhere, so that the fuzzer sees which way an input went
endif()

set(VMBSIM_WARNINGS -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND VMBSIM_WARNINGS -Wno-restrict)  # gcc 12 sees overlaps in std::string that cannot be (GCC bug 105651)
endif()
