# A room is a static library of the .cc files of a folder, and a test program of its *_test.cc files.
# tools/check_layers.py checks the same order on the #include lines themselves.

function(lbrx_room name folder)
  cmake_parse_arguments(ROOM "" "" "DEPS;PRIVATE;EXCLUDE;TEST_DEPS" ${ARGN})
  set(root ${PROJECT_SOURCE_DIR}/src)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${root}/${folder}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  foreach(excluded ${ROOM_EXCLUDE})
    list(REMOVE_ITEM sources ${root}/${excluded})
  endforeach()

  set(dependencies "")
  foreach(dependency ${ROOM_DEPS})
    if(TARGET lbrx_${dependency})
      list(APPEND dependencies lbrx_${dependency})
    else()
      list(APPEND dependencies ${dependency})
    endif()
  endforeach()

  if(NOT sources)
    return()
  endif()
  add_library(lbrx_${name} STATIC ${sources})
  target_include_directories(lbrx_${name} PUBLIC ${root})
  target_link_libraries(lbrx_${name} PUBLIC ${dependencies} PRIVATE ${ROOM_PRIVATE})

  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE lbrx_${name} ${ROOM_TEST_DEPS}
                          lbrx_test_support GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE LBRX_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
    add_test(NAME ${name} COMMAND ${name}_test)
  endif()
endfunction()

# Links everything but glibc into the program.
function(lbrx_self_contained target)
  if(NOT APPLE AND NOT LBRX_SANITIZED)
    target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc -Wl,--gc-sections)
  endif()
endfunction()
