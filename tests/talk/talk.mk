# SPDX-License-Identifier: MIT
# Conversations: check programs, scripts and what the tarball carries.

