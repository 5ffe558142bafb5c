# SPDX-License-Identifier: MIT
# Manual pages (dist_man_MANS) and the documents in the tarball.

