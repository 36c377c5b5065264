# DROVER_SANITIZE=address|thread|fuzzer: the whole build, tests included, with that sanitizer. Any finding ends the program.
set(DROVER_SANITIZE "" CACHE STRING "Sanitizer: empty, address (with undefined), thread, or fuzzer (clang)")
set_property(CACHE DROVER_SANITIZE PROPERTY STRINGS "" address thread fuzzer)

if(DROVER_SANITIZE STREQUAL "address")
  set(flags -fsanitize=address,undefined)
elseif(DROVER_SANITIZE STREQUAL "thread")
  set(flags -fsanitize=thread)
elseif(DROVER_SANITIZE STREQUAL "fuzzer")
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "DROVER_SANITIZE=fuzzer needs clang: libFuzzer is part of it")
  endif()
  set(flags -fsanitize=fuzzer-no-link,address,undefined)
elseif(DROVER_SANITIZE)
  message(FATAL_ERROR "DROVER_SANITIZE is '${DROVER_SANITIZE}'; it may be address, thread or fuzzer")
else()
  return()
endif()

list(APPEND flags -fno-sanitize-recover=all -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  list(APPEND flags -fno-sanitize=function)  # clang 14 cannot assemble coroutines with it
  add_compile_options(${flags})
else()
  # g++ 12 warns falsely in instrumented code, and about fences inside Asio that TSan does not model.
  add_compile_options(${flags} -Wno-maybe-uninitialized -Wno-tsan)
endif()
add_link_options(${flags})
add_compile_definitions(_GLIBCXX_ASSERTIONS)
