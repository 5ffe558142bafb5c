# SPDX-License-Identifier: MIT
# Checks of the sources themselves: scripts that print file:line of what is wrong.

dist_check_SCRIPTS += \
	tests/check/banned \
	tests/check/headers \
	tests/check/layers \
	tests/check/manual \
	tests/check/mutable-globals
