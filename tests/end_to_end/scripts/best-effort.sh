#!/usr/bin/env bash
# best-effort.sh UNIT DEPENDENCY...: work with and without coder, and go on whatever it says.
unit=$1
shift
if command -v coder > /dev/null; then
    coder exp sync want "$unit" "$@" > /dev/null 2>&1 || true
    coder exp sync start "$unit" > /dev/null 2>&1 || true
fi
echo "work of $unit"
if command -v coder > /dev/null; then
    coder exp sync complete "$unit" > /dev/null 2>&1 || true
fi
