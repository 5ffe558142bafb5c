# SPDX-License-Identifier: MIT
# Manual pages (dist_man_MANS) and the documents in the tarball.

dist_man_MANS += docs/hansa.conf.5 docs/hansactl.1 docs/hansad.8
EXTRA_DIST += \
	README.md \
	docs/architecture.md \
	docs/attach-a-bot.md \
	docs/delivery.md \
	docs/dependencies.md \
	docs/demo/bot.py \
	docs/demo/branch.py \
	docs/demo/demo.py \
	docs/demo/dns.py \
	docs/demo/person.py \
	docs/hansa.conf.5.in \
	docs/jids.md \
	docs/link-two-branches.md \
	docs/performance.md \
	docs/security.md
