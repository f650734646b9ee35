#!/usr/bin/env bash
# The renderings of findings by the official schemas; skipped where pip's packages are not installed.
command -v python3 >/dev/null || exit 77
exec python3 "$ORBWATCH_ROOT/tests/renderings/check_schemas.py"
