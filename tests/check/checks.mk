# SPDX-License-Identifier: MIT
# Checks of the sources themselves: scripts that print file:line of what is wrong.

