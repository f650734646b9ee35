#!/usr/bin/env bash
# The TAXII server by OASIS' client; skipped where pip's package is not installed.
python=${ORBWATCH_SHARING_PYTHON:-python3}
command -v "$python" >/dev/null || exit 77
exec "$python" "$ORBWATCH_ROOT/tests/sharing/taxii_client.py" "$ORBWATCH"
