#!/usr/bin/env bash
# killed.sh UNIT DEPENDENCY...: none of the ways; it starts its unit, and never completes it.
set -e
unit=$1
shift
coder exp sync want "$unit" "$@"
coder exp sync start "$unit"
read -r _
