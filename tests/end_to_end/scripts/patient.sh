#!/usr/bin/env bash
# patient.sh UNIT DEPENDENCY...: wait for longer than the five minutes that start waits by itself.
set -e
unit=$1
shift
coder exp sync want "$unit" "$@"
coder exp sync start --timeout 30m "$unit"
echo "work of $unit"
coder exp sync complete "$unit"
