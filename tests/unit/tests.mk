# SPDX-License-Identifier: MIT
# Unit tests, tests/unit/test_X.c for each X: one line each between if and endif.

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_arena
check_PROGRAMS += tests/unit/test_buf
check_PROGRAMS += tests/unit/test_conf
check_PROGRAMS += tests/unit/test_digest
check_PROGRAMS += tests/unit/test_id
check_PROGRAMS += tests/unit/test_list
check_PROGRAMS += tests/unit/test_log
check_PROGRAMS += tests/unit/test_map
endif
