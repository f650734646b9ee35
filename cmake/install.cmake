# What `cmake --install` puts where. packaging/deb.sh makes a Debian package of it; what lies outside of the prefix
# (/etc) is put there by that script.
include(GNUInstallDirs)
install(TARGETS orbwatch RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(TARGET orbwatch_duckdb)
  install(FILES ${ORBWATCH_DUCKDB_DIR}/libduckdb.so DESTINATION lib/orbwatch PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endif()
install(FILES packaging/orbwatch.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES packaging/orbwatch.service packaging/orbwatch-hunt.service packaging/orbwatch-hunt.timer DESTINATION lib/systemd/system)
install(FILES README.md CHANGELOG.md NOTICE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs FILES_MATCHING PATTERN "*.md")
install(FILES packaging/orbwatch.yaml packaging/grafana-dashboard.json packaging/prometheus-rules.yaml packaging/feeds.example.yaml
        DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(DIRECTORY packaging/feeds.example DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
