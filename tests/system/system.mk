# SPDX-License-Identifier: MIT
# System tests: what the tarball carries.

