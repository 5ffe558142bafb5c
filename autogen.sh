#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Makes ./configure out of configure.ac and Makefile.am. Needs autoconf, automake and pkg-config.
set -e
cd "$(dirname "$0")"
exec autoreconf --install --force --warnings=all
