# SPDX-License-Identifier: MIT
# hansad: sbin_PROGRAMS, its sources (src/main.c src/modules.c).

