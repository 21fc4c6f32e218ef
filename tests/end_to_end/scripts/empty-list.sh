#!/usr/bin/env bash
# empty-list.sh UNIT: a template's list of dependencies that happens to be empty.
set -u
dependencies=()
coder exp sync want "$1" "${dependencies[@]}"
echo "want said $?"
set -e
coder exp sync start "$1"
echo "work of $1"
coder exp sync complete "$1"
