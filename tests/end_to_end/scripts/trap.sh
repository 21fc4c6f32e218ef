#!/usr/bin/env bash
# trap.sh UNIT DEPENDENCY...: complete in an exit trap that is set before anything else, so that it also runs after a failed start.
set -euo pipefail
unit=$1
shift
trap 'coder exp sync complete "$unit"' EXIT
coder exp sync want "$unit" "$@"
coder exp sync start "$unit"
echo "work of $unit"
