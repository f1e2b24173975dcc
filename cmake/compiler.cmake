# The language, the refusals and the flags that every target of the tree shares.

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
  message(FATAL_ERROR
    "GCC ${CMAKE_CXX_COMPILER_VERSION} is refused: GCC before 14 miscompiles co_await beside braced "
    "aggregates and capturing lambdas (double free, no warning). Use clang 19: cmake --preset dev")
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR
    "clang ${CMAKE_CXX_COMPILER_VERSION} is refused: before 19 it does not see std::expected of "
    "libstdc++ 12. Use clang 19: cmake --preset dev")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

set(ORCH_WARNINGS
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
    -Wold-style-cast -Woverloaded-virtual -Wimplicit-fallthrough -Wformat=2)

if(ORCH_SANITIZE)
  add_compile_options(-fsanitize=${ORCH_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ORCH_SANITIZE})
endif()

# ccache keeps what was compiled with a precompiled header only when the header itself does not hold the hour it was made.
option(ORCH_PCH "Parse the headers of third parties once per build folder (cmake/pch)" ON)
if(ORCH_PCH)
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
  foreach(language IN ITEMS C CXX)
    if(CMAKE_${language}_COMPILER_LAUNCHER STREQUAL "ccache")
      set(CMAKE_${language}_COMPILER_LAUNCHER
          ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ccache)
    endif()
  endforeach()
endif()
