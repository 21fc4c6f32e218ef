#!/usr/bin/env bash
# barrier.sh UNIT DEPENDENCY...: one name for many, for those who come after all of them.
set -e
unit=$1
shift
coder exp sync want "$unit" "$@"
coder exp sync start "$unit"
coder exp sync complete "$unit"
