# SPDX-License-Identifier: MIT
# Benchmarks: what the tarball carries.

EXTRA_DIST += tests/bench/run tests/bench/archive tests/bench/peer.py

# Built by name: make tests/bench/bench_store
EXTRA_PROGRAMS =
EXTRA_PROGRAMS += tests/bench/bench_store
tests_bench_bench_store_SOURCES = tests/bench/bench_store.c $(store_support)
EXTRA_PROGRAMS += tests/bench/bench_conn
EXTRA_PROGRAMS += tests/bench/bench_stanza

# The load generator: make tests/bench/load/load
EXTRA_PROGRAMS += tests/bench/load/load
tests_bench_load_load_SOURCES = \
	tests/bench/load/main.c \
	tests/bench/load/load.h \
	tests/bench/load/client.c \
	tests/bench/load/acks.c \
	tests/bench/load/acks.h \
	tests/bench/load/sasl2.c \
	tests/bench/load/sasl2.h \
	tests/bench/load/proof.c \
	tests/bench/load/proof.h \
	tests/bench/load/chat.c \
	tests/bench/load/quiet.c \
	tests/bench/load/cost.c
