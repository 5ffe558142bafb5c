# SPDX-License-Identifier: MIT
# Manual pages, the example configuration, the unit for systemd, and the documents. What names a place is written for an
# installation that chose none; the chosen ones are put in while it is built or installed.

dist_man_MANS += docs/hansa.conf.5 docs/hansactl.1 docs/hansad.8

dist_doc_DATA = \
	LICENSE \
	README.md \
	docs/architecture.md \
	docs/attach-a-bot.md \
	docs/clients.md \
	docs/delivery.md \
	docs/dependencies.md \
	docs/hansa.doap \
	docs/invite-people.md \
	docs/jids.md \
	docs/link-two-branches.md \
	docs/performance.md \
	docs/security.md \
	docs/xeps.md
nodist_doc_DATA = docs/hansad.service

hansaconfdir = $(sysconfdir)/hansa
nodist_hansaconf_DATA = docs/hansa.conf.example

EXTRA_DIST += \
	docs/demo/bot.py \
	docs/demo/branch.py \
	docs/demo/demo.py \
	docs/demo/nameserver.py \
	docs/demo/person.py \
	docs/hansa.conf.5.in \
	docs/hansa.doap.in \
	docs/hansa.conf.example.in \
	docs/hansad.service.in \
	docs/xeps.md.in
CLEANFILES += docs/hansa.conf.example docs/hansad.service

docs/hansa.conf.example: docs/hansa.conf.example.in hansad$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) docs && ./hansad$(EXEEXT) --print-config | sed -e 's/^\([[:blank:]]*\)#\([a-z}]\)/\1\2/' -e 's/^/#/' | \
		sed -e '/^@OPTIONS@$$/{' -e 'r /dev/stdin' -e 'd' -e '}' $(srcdir)/docs/hansa.conf.example.in >$@.new && \
		mv $@.new $@

docs/hansad.service: docs/hansad.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) docs && sed -e 's#@sbindir[@]#$(sbindir)#g' -e 's#@sysconfdir[@]#$(sysconfdir)#g' \
		-e 's#@localstatedir[@]#$(localstatedir)#g' $(srcdir)/docs/hansad.service.in >$@.new && mv $@.new $@

install-data-hook:
	test -d "$(DESTDIR)$(localstatedir)/lib/hansa" || \
		{ $(MKDIR_P) "$(DESTDIR)$(localstatedir)/lib" && mkdir -m 700 "$(DESTDIR)$(localstatedir)/lib/hansa"; }
	cd "$(DESTDIR)$(mandir)" && sed -i -e 's#/usr/local/var#$(localstatedir)#g' -e 's#/usr/local/etc#$(sysconfdir)#g' \
		-e 's#/usr/local/share/doc/hansa#$(docdir)#g' man1/hansactl.1 man5/hansa.conf.5 man8/hansad.8
