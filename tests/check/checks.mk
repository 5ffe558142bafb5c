# SPDX-License-Identifier: MIT
# Checks of the sources themselves: scripts that print file:line of what is wrong.

dist_check_SCRIPTS += \
	tests/check/banned \
	tests/check/headers \
	tests/check/layers \
	tests/check/manual \
	tests/check/mutable-globals \
	tests/check/xeps

# What the modules say of standards; tests/check/xeps compares it with the documents.
check_PROGRAMS += tests/check/specs
tests_check_specs_SOURCES = tests/check/specs.c src/modules.c
tests_check_specs_LDADD = $(HANSA_LIBS)
