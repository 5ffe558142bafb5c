# SPDX-License-Identifier: MIT
# System tests: what the tarball carries.

EXTRA_DIST += \
	tests/system/authority.py \
	tests/system/cable.py \
	tests/system/harness.py \
	tests/system/knot.py \
	tests/system/partner.py \
	tests/system/phone.py \
	tests/system/sasl.py \
	tests/system/terminal.py \
	tests/system/test_aioxmpp.py \
	tests/system/test_archive.py \
	tests/system/test_component.py \
	tests/system/test_fast.py \
	tests/system/test_cuts.py \
	tests/system/test_ejabberd.py \
	tests/system/test_ghosts.py \
	tests/system/test_guides.py \
	tests/system/test_hansactl.py \
	tests/system/test_hostile.py \
	tests/system/test_join.py \
	tests/system/test_link.py \
	tests/system/test_link_cuts.py \
	tests/system/test_login.py \
	tests/system/test_messages.py \
	tests/system/test_nbxmpp.py \
	tests/system/test_peer_policy.py \
	tests/system/test_peer_test.py \
	tests/system/test_outbox.py \
	tests/system/test_profanity.py \
	tests/system/test_prosody.py \
	tests/system/test_push.py \
	tests/system/test_register.py \
	tests/system/test_quickstart.py \
	tests/system/test_repeats.py \
	tests/system/test_restart.py \
	tests/system/test_resume.py \
	tests/system/test_slixmpp.py \
	tests/system/test_small_clients.py \
	tests/system/test_trust.py
