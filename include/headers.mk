# SPDX-License-Identifier: MIT
# Every header below include/, one a line: what lies there and is not named here is missing from the tarball.

noinst_HEADERS += include/base/arena.h
noinst_HEADERS += include/base/buf.h
noinst_HEADERS += include/base/clock.h
noinst_HEADERS += include/base/conf.h
noinst_HEADERS += include/base/digest.h
noinst_HEADERS += include/base/hash.h
noinst_HEADERS += include/base/id.h
noinst_HEADERS += include/base/list.h
noinst_HEADERS += include/base/log.h
noinst_HEADERS += include/base/map.h
noinst_HEADERS += include/base/mem.h
