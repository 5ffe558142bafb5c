# SPDX-License-Identifier: MIT
# Fuzzers, built with --enable-fuzzers (clang): tests/fuzz/fuzz_X.c, a pair of lines each between if and endif.
#	noinst_PROGRAMS += tests/fuzz/fuzz_X
#	tests_fuzz_fuzz_X_LDFLAGS = $(FUZZ_LINK)
# Beside it X.dict and corpus/X, for the tarball too. Each is run by tests/fuzz/run.

FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer

EXTRA_DIST += tests/fuzz/run
EXTRA_DIST += tests/fuzz/header.dict tests/fuzz/corpus/header
EXTRA_DIST += tests/fuzz/jid.dict tests/fuzz/corpus/jid
EXTRA_DIST += tests/fuzz/sasl.dict tests/fuzz/corpus/sasl
EXTRA_DIST += tests/fuzz/stream.dict tests/fuzz/corpus/stream

if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_header
tests_fuzz_fuzz_header_LDFLAGS = $(FUZZ_LINK)
noinst_PROGRAMS += tests/fuzz/fuzz_jid
tests_fuzz_fuzz_jid_LDFLAGS = $(FUZZ_LINK)
noinst_PROGRAMS += tests/fuzz/fuzz_sasl
tests_fuzz_fuzz_sasl_LDFLAGS = $(FUZZ_LINK)
noinst_PROGRAMS += tests/fuzz/fuzz_stream
tests_fuzz_fuzz_stream_LDFLAGS = $(FUZZ_LINK)
endif
