# SPDX-License-Identifier: MIT
# hansactl: bin_PROGRAMS, its sources and what it links.

