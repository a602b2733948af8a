# The header with the version and the commit that this tree was configured from.

set(LBRX_COMMIT "unknown")
find_package(Git QUIET)
if(GIT_FOUND AND EXISTS ${PROJECT_SOURCE_DIR}/.git)
  execute_process(
    COMMAND ${GIT_EXECUTABLE} describe --always --dirty --abbrev=12 --match=
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    OUTPUT_VARIABLE described
    OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_QUIET
    RESULT_VARIABLE failed)
  if(NOT failed AND described)
    set(LBRX_COMMIT "${described}")
  endif()
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/lbrx_build_info.h.in
               ${PROJECT_BINARY_DIR}/generated/lbrx_build_info.h @ONLY)
# The version alone, for what is written into outputs: a commit would change their bytes.
set_source_files_properties(${PROJECT_SOURCE_DIR}/src/convert/card.cc
                            ${PROJECT_SOURCE_DIR}/src/merge/merged_config.cc PROPERTIES
                            COMPILE_DEFINITIONS "LBRX_VERSION=\"${PROJECT_VERSION}\"")
target_include_directories(lbrx_cli PRIVATE ${PROJECT_BINARY_DIR}/generated)
