# SPDX-License-Identifier: MIT
# Unit tests, tests/unit/test_X.c for each X: one line each between if and endif.

if HAVE_CMOCKA
endif
