# SPDX-License-Identifier: MIT
# Benchmarks: what the tarball carries.

EXTRA_DIST += tests/bench/run tests/bench/peer.py

# Built by name: make tests/bench/bench_store
EXTRA_PROGRAMS =
EXTRA_PROGRAMS += tests/bench/bench_store
tests_bench_bench_store_SOURCES = tests/bench/bench_store.c $(store_support)
EXTRA_PROGRAMS += tests/bench/bench_conn
EXTRA_PROGRAMS += tests/bench/bench_stanza
