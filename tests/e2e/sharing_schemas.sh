#!/usr/bin/env bash
# What is given to others by the validators of others; skipped where pip's packages are not installed.
python=${ORBWATCH_SHARING_PYTHON:-python3}
command -v "$python" >/dev/null || exit 77
exec "$python" "$ORBWATCH_ROOT/tests/sharing/check_sharing.py"
