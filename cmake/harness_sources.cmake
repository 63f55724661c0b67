# cmake -P: writes OUT, a source with the digest of what a harness is made of, and DEPFILE, which names all of that.
#
# What counts: the contents of SOURCES and of the headers that they include, beside the including file or in one of the folders
# on SAID's second line, and of what those include; and the definitions on its first line. Where they lie does not. Headers found
# nowhere else are the system's, or vmbsim's own, which belong to its version.
cmake_minimum_required(VERSION 3.25)
set(queue ${SOURCES})
set(seen)
file(STRINGS ${SAID} said)
list(POP_FRONT said text folders)
string(REGEX REPLACE "^folders " "" folders "${folders}")
string(REPLACE "|" ";" folders "${folders}")
while(queue)
  list(POP_FRONT queue file)
  if(file IN_LIST seen)
    continue()
  endif()
  list(APPEND seen ${file})
  file(SHA256 ${file} hash)
  string(APPEND text " ${hash}")
  file(STRINGS ${file} includes REGEX "^[ \t]*#[ \t]*include[ \t]*[<\"]")
  cmake_path(GET file PARENT_PATH beside)
  foreach(include ${includes})
    string(REGEX REPLACE "^[^<\"]*[<\"]([^>\"]*).*" "\\1" name "${include}")
    foreach(folder ${beside} ${folders})
      cmake_path(ABSOLUTE_PATH name BASE_DIRECTORY ${folder} NORMALIZE OUTPUT_VARIABLE found)
      if(EXISTS ${found} AND NOT IS_DIRECTORY ${found})
        list(APPEND queue ${found})
        break()
      endif()
    endforeach()
  endforeach()
endwhile()
string(SHA256 digest "${text}")
string(SUBSTRING ${digest} 0 16 digest)
set(line "__attribute__((visibility(\"default\"))) extern const char vmbsim_harness_sources[]")
file(CONFIGURE OUTPUT ${OUT} CONTENT
"/* What this harness is made of: equal in every build of the same sources. */
#ifdef __cplusplus
extern \"C\" {
#endif
${line};
const char vmbsim_harness_sources[] = \"${digest}\";
#ifdef __cplusplus
}
#endif
")
list(TRANSFORM seen REPLACE " " "\\\\ ")
list(JOIN seen " \\\n  " seen)
file(WRITE ${DEPFILE} "${OUT}: \\\n  ${seen}\n")
