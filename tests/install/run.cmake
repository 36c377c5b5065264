# Installs this build into a prefix of its own, then builds and runs a program that finds drover there.
# cmake -DBUILD_DIR=… -DWORK_DIR=… -DCOMPILER=… -DFLAGS=… -P run.cmake
function(step name)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${name} failed (${status}):\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE "${WORK_DIR}")
step(install "${CMAKE_COMMAND}" --install "${BUILD_DIR}" --prefix "${WORK_DIR}/prefix")
step("installed program" "${WORK_DIR}/prefix/bin/drover" version)
step(configure "${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/consumer" -B "${WORK_DIR}/build" -G Ninja
     "-DCMAKE_PREFIX_PATH=${WORK_DIR}/prefix" "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_CXX_FLAGS=${FLAGS}")
step(build "${CMAKE_COMMAND}" --build "${WORK_DIR}/build")
step(run "${WORK_DIR}/build/consumer" "${CMAKE_CURRENT_LIST_DIR}/inventory.yaml")
if(NOT output STREQUAL "nobody CPS.0005\n")
  message(FATAL_ERROR "the embedding program printed '${output}'")
endif()
