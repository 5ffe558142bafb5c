# SPDX-License-Identifier: MIT
# The .c files and private headers of src/store.

libhansa_a_SOURCES +=
