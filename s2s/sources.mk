# SPDX-License-Identifier: MIT
# The .c files and private headers of s2s.

libhansa_a_SOURCES +=
