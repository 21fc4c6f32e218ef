#!/bin/sh
# A script of the workspace's agent: it brings the unit legacy/dotfiles, when the tools are there.
#
# It waits for a phase of another script, install-tools, whichever of the two comes first.
set -e
coder exp sync want legacy/dotfiles install-tools
coder exp sync start legacy/dotfiles
printf 'alias notes="%s/tools/notes"\n' "$(realpath "${WORKSPACE:-workspace}")" > "${WORKSPACE:-workspace}/dotfiles"
coder exp sync complete legacy/dotfiles
