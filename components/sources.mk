# SPDX-License-Identifier: MIT
# The .c files and private headers of components.

libhansa_a_SOURCES +=
