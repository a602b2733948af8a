# Third-party libraries. Static archives and header-only use, so that the binary needs glibc alone.

find_package(Threads REQUIRED)

function(lbrx_header_library target header package)
  find_path(${target}_INCLUDE ${header})
  if(NOT ${target}_INCLUDE)
    message(FATAL_ERROR "${header} not found; install it with: make setup (Debian: ${package})")
  endif()
  add_library(${target} INTERFACE)
  target_include_directories(${target} SYSTEM INTERFACE ${${target}_INCLUDE})
endfunction()

lbrx_header_library(lbrx_fmt fmt/core.h libfmt-dev)
lbrx_header_library(lbrx_xxhash xxhash.h libxxhash-dev)
lbrx_header_library(lbrx_highway hwy/highway.h libhwy-dev)
lbrx_header_library(lbrx_nlohmann nlohmann/json.hpp nlohmann-json3-dev)
lbrx_header_library(lbrx_cli11 CLI/CLI.hpp libcli11-dev)

function(lbrx_archive target archive header package)
  find_library(${target}_ARCHIVE NAMES ${archive})
  find_path(${target}_INCLUDE ${header})
  if(NOT ${target}_ARCHIVE OR NOT ${target}_INCLUDE)
    message(FATAL_ERROR "${archive} not found; install it with: make setup (Debian: ${package})")
  endif()
  add_library(${target} STATIC IMPORTED)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${${target}_ARCHIVE})
  target_include_directories(${target} SYSTEM INTERFACE ${${target}_INCLUDE})
endfunction()

# SHA-256 (with the CPU's instructions for it) from OpenSSL's libcrypto.
lbrx_archive(lbrx_crypto libcrypto.a openssl/evp.h libssl-dev)
target_link_libraries(lbrx_crypto INTERFACE ${CMAKE_DL_LIBS} Threads::Threads)
lbrx_archive(lbrx_pcre2 libpcre2-8.a pcre2.h libpcre2-dev)
lbrx_archive(lbrx_yaml libyaml.a yaml.h libyaml-dev)

find_package(GTest REQUIRED)
