# Every library that is not ours, under the name the rooms use in LIBS:
#   orch::asio  orch::json  orch::llhttp  Boost::url  spdlog::spdlog  fmt::fmt  yaml-cpp
#   OpenSSL::Crypto  OpenSSL::SSL  CLI11::CLI11

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto SSL)
find_package(CLI11 REQUIRED)
if(ORCH_BUILD_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

# Asio is compiled once, here; every other file sees declarations only.
# For every file, as one precompiled header serves them all.
add_compile_definitions(BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
if(ORCH_SANITIZE MATCHES "thread")
  # TSan does not model atomic_thread_fence.
  add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()
add_library(orch_asio STATIC ${CMAKE_SOURCE_DIR}/cmake/asio_impl.cpp)
add_library(orch::asio ALIAS orch_asio)
target_link_libraries(orch_asio PUBLIC Boost::headers Threads::Threads)

add_library(orch_json INTERFACE)
add_library(orch::json ALIAS orch_json)
target_link_libraries(orch_json INTERFACE Boost::json)

set(ORCH_LLHTTP_DIR ${CMAKE_SOURCE_DIR}/build/third_party/llhttp CACHE PATH
    "Root under which Debian's node-llhttp is unpacked (holds usr/share/llhttp)")
if(NOT EXISTS ${ORCH_LLHTTP_DIR}/usr/share/llhttp/llhttp.c)
  message(FATAL_ERROR
    "llhttp is not unpacked under ${ORCH_LLHTTP_DIR}: run `make setup`, or set ORCH_LLHTTP_DIR")
endif()
set(llhttp_sources ${ORCH_LLHTTP_DIR}/usr/share/llhttp)
add_library(orch_llhttp STATIC
    ${llhttp_sources}/api.c ${llhttp_sources}/http.c ${llhttp_sources}/llhttp.c)
add_library(orch::llhttp ALIAS orch_llhttp)
target_include_directories(orch_llhttp SYSTEM PUBLIC ${ORCH_LLHTTP_DIR}/usr/share/include)
# "llhttp.h" for its own sources, <llhttp/llhttp.h> for ours. Generated code: always optimised, no warnings.
target_include_directories(orch_llhttp SYSTEM PRIVATE ${ORCH_LLHTTP_DIR}/usr/share/include/llhttp)
# Strict: otherwise it takes spaces in header names, with which requests are smuggled past a proxy.
target_compile_definitions(orch_llhttp PUBLIC LLHTTP_STRICT_MODE=1)
target_compile_options(orch_llhttp PRIVATE -O2 -w)
