# cmake -DROOMS=... -DEXPECTED=... -DMODULES=... -DWORK=... -P edge_case.cmake
# Configures a project made of ROOMS; EXPECTED is the refusal to find, empty for none.
file(REMOVE_RECURSE ${WORK})
string(REPLACE ") orch_library" ")\norch_library" rooms "${ROOMS}")
file(WRITE ${WORK}/CMakeLists.txt
"cmake_minimum_required(VERSION 3.25)
project(edges LANGUAGES NONE)
include(${MODULES}/orch_library.cmake)
${rooms}
")
execute_process(
    COMMAND ${CMAKE_COMMAND} -S ${WORK} -B ${WORK}/build
    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
string(REGEX REPLACE "[ \n]+" " " output "${output}")

if(EXPECTED STREQUAL "")
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "refused, should be accepted: ${output}")
  endif()
elseif(status EQUAL 0)
  message(FATAL_ERROR "accepted, should be refused with: ${EXPECTED}")
else()
  string(FIND "${output}" "${EXPECTED}" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "refused without \"${EXPECTED}\": ${output}")
  endif()
endif()
