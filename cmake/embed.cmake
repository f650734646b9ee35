# Puts files into the program at build time, so that the binary needs no folder beside it.
#
#   orbwatch_embed(TARGET orbwatch_store NAMESPACE orbwatch::store::migrations FILES src/store/migrations/0001_first.sql ...)
#
# defines for every file `extern const std::string_view <namespace>::<file name, with _ for every other character>` and
# `extern const std::span<const std::pair<std::string_view, std::string_view>> <namespace>::all` (name, content) in the order given.
# The declarations are written by hand in a header of the room.
if(CMAKE_SCRIPT_MODE_FILE)
  set(code "// Written by cmake/embed.cmake.\n#include <array>\n#include <span>\n#include <string_view>\n#include <utility>\n\n")
  string(APPEND code "namespace ${NAMESPACE} {\n")
  set(list "")
  set(count 0)
  string(REPLACE "|" ";" FILES "${FILES}")
  foreach(file IN LISTS FILES)
    get_filename_component(name ${file} NAME)
    string(MAKE_C_IDENTIFIER "${name}" identifier)
    if(name MATCHES "^[0-9]")
      string(PREPEND identifier "m")
    endif()
    file(READ ${file} text)
    string(FIND "${text}" ")orbwatch\"" clash)
    if(NOT clash EQUAL -1)
      message(FATAL_ERROR "${file} contains the delimiter of the raw string literals that embed it")
    endif()
    string(APPEND code "extern const std::string_view ${identifier};\nconst std::string_view ${identifier} =\n    R\"orbwatch(")
    string(APPEND code "${text}")
    string(APPEND code ")orbwatch\";\n")
    string(APPEND list "    std::pair<std::string_view, std::string_view>{\"${name}\", ${identifier}},\n")
    math(EXPR count "${count}+1")
  endforeach()
  string(APPEND code "namespace {\nconst std::array<std::pair<std::string_view, std::string_view>, ${count}> kAll = {{\n${list}}};\n}\n")
  string(APPEND code "extern const std::span<const std::pair<std::string_view, std::string_view>> all;\n")
  string(APPEND code "const std::span<const std::pair<std::string_view, std::string_view>> all = kAll;\n}  // namespace ${NAMESPACE}\n")
  file(WRITE ${OUTPUT} "${code}")
  return()
endif()

set(ORBWATCH_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
function(orbwatch_embed)
  cmake_parse_arguments(EMBED "" "TARGET;NAMESPACE" "FILES" ${ARGN})
  string(REPLACE "::" "_" stem ${EMBED_NAMESPACE})
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${stem}_embedded.cc)
  list(JOIN EMBED_FILES "|" files)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -D NAMESPACE=${EMBED_NAMESPACE} -D "FILES=${files}" -D OUTPUT=${output} -P ${ORBWATCH_EMBED_SCRIPT}
    DEPENDS ${EMBED_FILES} ${ORBWATCH_EMBED_SCRIPT} COMMENT "Embedding ${EMBED_NAMESPACE}" VERBATIM)
  target_sources(${EMBED_TARGET} PRIVATE ${output})
endfunction()
