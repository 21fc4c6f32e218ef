#!/usr/bin/env bash
# module.sh UNIT DEPENDENCY...: the steps of a module, all declared at once, then done one after the other.
set -e
unit=$1
shift
coder exp sync want "$unit-install" "$@" &
coder exp sync want "$unit-configure" "$unit-install" "$@" &
coder exp sync want "$unit-start" "$unit-configure" &
wait
for step in install configure start; do
    coder exp sync start "$unit-$step"
    echo "work of $unit-$step"
    coder exp sync complete "$unit-$step"
done
