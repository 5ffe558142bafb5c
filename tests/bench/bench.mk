# SPDX-License-Identifier: MIT
# Benchmarks: what the tarball carries.

