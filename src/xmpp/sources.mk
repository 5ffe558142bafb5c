# SPDX-License-Identifier: MIT
# The .c files and private headers of src/xmpp.

libhansa_a_SOURCES +=
