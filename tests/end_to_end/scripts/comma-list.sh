#!/usr/bin/env bash
# comma-list.sh UNIT DEPENDENCY,DEPENDENCY: one want for each, and a trap that completes only what was started.
set -euo pipefail
unit=$1
SYNC_STARTED=0
cleanup() {
    if [ "$SYNC_STARTED" = 1 ]; then
        coder exp sync complete "$unit"
    fi
}
trap cleanup EXIT
IFS=, read -ra dependencies <<< "$2"
for dependency in "${dependencies[@]}"; do
    coder exp sync want "$unit" "$dependency"
done
coder exp sync start "$unit"
SYNC_STARTED=1
echo "work of $unit"
