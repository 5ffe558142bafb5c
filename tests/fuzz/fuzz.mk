# SPDX-License-Identifier: MIT
# Fuzzers, built with --enable-fuzzers (clang): tests/fuzz/fuzz_X.c, a pair of lines each between if and endif.
#	noinst_PROGRAMS += tests/fuzz/fuzz_X
#	tests_fuzz_fuzz_X_LDFLAGS = $(FUZZ_LINK)
# Dictionaries and corpora: EXTRA_DIST.

FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer

if FUZZERS
endif
