# What `cmake --install` lays down: programs, systemd units, documents, examples. DESTDIR and --prefix are honoured.
# engine-sim is for tests and is not installed.

install(TARGETS orchestratord pool-managerd llorch RUNTIME DESTINATION bin)

set(ORCH_DOC_FOLDER share/doc/llama-orch)
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${ORCH_DOC_FOLDER})
install(DIRECTORY docs DESTINATION ${ORCH_DOC_FOLDER})
install(DIRECTORY deploy/compose deploy/kubernetes DESTINATION ${ORCH_DOC_FOLDER}/examples PATTERN .gitignore EXCLUDE)
install(FILES deploy/systemd/orchestratord.env deploy/systemd/pool-managerd.env deploy/systemd/pools.yaml
    DESTINATION ${ORCH_DOC_FOLDER}/examples/systemd)
install(FILES deploy/systemd/llama-orch.sysusers.conf DESTINATION lib/sysusers.d RENAME llama-orch.conf)
install(FILES deploy/systemd/llama-orch.tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME llama-orch.conf)

# The units name the programs by the prefix, which is known only when installing.
install(CODE "set(units \"${PROJECT_SOURCE_DIR}/deploy/systemd\")\nset(made \"${PROJECT_BINARY_DIR}/units\")")
install(CODE [[
  set(ORCH_BIN_DIR "${CMAKE_INSTALL_PREFIX}/bin")
  set(ORCH_DOC_DIR "${CMAKE_INSTALL_PREFIX}/share/doc/llama-orch")
  foreach(unit IN ITEMS orchestratord pool-managerd)
    configure_file("${units}/${unit}.service.in" "${made}/${unit}.service" @ONLY)
    file(INSTALL "${made}/${unit}.service" DESTINATION "${CMAKE_INSTALL_PREFIX}/lib/systemd/system")
  endforeach()
]])
