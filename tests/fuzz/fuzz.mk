# SPDX-License-Identifier: MIT
# Fuzzers, built with --enable-fuzzers.

