# vmbsim_add_driver(NAME sources...)
#
# Makes lib<NAME>.so of a Windows driver's own C or C++ sources, against the headers of include/wdk and with Windows' data
# model: 16-bit wide characters, multi-character tags. What the driver calls is found in vmbsim when it loads the library.
#
# VMBSIM_WDK_DIR is the folder of the headers, VMBSIM_DRIVER_STAMP the C source that says which version they are of.
function(vmbsim_add_driver name)
  add_library(${name} MODULE ${ARGN} ${VMBSIM_DRIVER_STAMP})
  target_include_directories(${name} SYSTEM PRIVATE ${VMBSIM_WDK_DIR})
  target_compile_definitions(${name} PRIVATE VMBSIM_DRIVER)
  # A kernel has no exceptions; and statics that a library shares with its other loads would be no statics of this one.
  target_compile_options(${name} PRIVATE
    $<$<COMPILE_LANGUAGE:C>:-Werror=implicit-function-declaration> -fshort-wchar -Wno-multichar -Wno-unknown-pragmas -fvisibility=default
    $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions;-fno-rtti;-fno-threadsafe-statics>
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  target_link_options(${name} PRIVATE -Wl,-Bsymbolic -Wl,-z,undefs)
  set_target_properties(${name} PROPERTIES C_STANDARD 11 CXX_STANDARD 20)
endfunction()
