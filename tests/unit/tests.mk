# SPDX-License-Identifier: MIT
# Unit tests, tests/unit/test_X.c for each X: one line each between if and endif.

EXTRA_DIST += tests/unit/certificate.h
EXTRA_DIST += tests/unit/talker.h
EXTRA_DIST += tests/unit/tiny_dns.h
EXTRA_DIST += tests/unit/tree.h
EXTRA_DIST += tests/unit/vector.h
EXTRA_DIST += tests/unit/world.h
EXTRA_DIST += tests/vectors/dialback.csv
EXTRA_DIST += tests/vectors/caps-xep0115.json
EXTRA_DIST += tests/vectors/jid.csv
EXTRA_DIST += tests/vectors/sasl-errors.csv
EXTRA_DIST += tests/vectors/sasl-ht.csv
EXTRA_DIST += tests/vectors/sasl-plain.csv
EXTRA_DIST += tests/vectors/saslprep.csv
EXTRA_DIST += tests/vectors/scram.csv
EXTRA_DIST += tests/vectors/stanza-errors.csv
EXTRA_DIST += tests/vectors/stream-errors.csv
EXTRA_DIST += tests/vectors/stringprep.csv
EXTRA_DIST += tests/vectors/message-delivery-rfc6121-table-1.csv
EXTRA_DIST += tests/vectors/routing-rfc6121-section-8.csv
EXTRA_DIST += tests/vectors/subscription-states-rfc6121-appendix-a.csv

store_support = \
	tests/support/asker.c \
	tests/support/asker.h \
	tests/support/folder.c \
	tests/support/folder.h \
	tests/support/store_trial.c \
	tests/support/store_trial.h

core_support = $(store_support) tests/support/town.c tests/support/town.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_arena
check_PROGRAMS += tests/unit/test_blocklist
check_PROGRAMS += tests/unit/test_buf
check_PROGRAMS += tests/unit/test_conf
check_PROGRAMS += tests/unit/test_dataform
check_PROGRAMS += tests/unit/test_digest
check_PROGRAMS += tests/unit/test_id
check_PROGRAMS += tests/unit/test_line
check_PROGRAMS += tests/unit/test_list
check_PROGRAMS += tests/unit/test_log
check_PROGRAMS += tests/unit/test_map
check_PROGRAMS += tests/unit/test_sasl
check_PROGRAMS += tests/unit/test_stream
check_PROGRAMS += tests/unit/test_delivery
check_PROGRAMS += tests/unit/test_im
tests_unit_test_im_SOURCES = tests/unit/test_im.c tests/unit/scene.h $(core_support)
check_PROGRAMS += tests/unit/test_ghosts
tests_unit_test_ghosts_SOURCES = tests/unit/test_ghosts.c tests/unit/scene.h $(core_support)
check_PROGRAMS += tests/unit/test_xep
tests_unit_test_xep_SOURCES = tests/unit/test_xep.c tests/unit/scene.h $(core_support)
check_PROGRAMS += tests/unit/test_routing
tests_unit_test_routing_SOURCES = tests/unit/test_routing.c tests/unit/scene.h $(core_support)
check_PROGRAMS += tests/unit/test_roster
check_PROGRAMS += tests/unit/test_subscription
check_PROGRAMS += tests/unit/test_address
check_PROGRAMS += tests/unit/test_admission
check_PROGRAMS += tests/unit/test_background
check_PROGRAMS += tests/unit/test_line
check_PROGRAMS += tests/unit/test_listener
check_PROGRAMS += tests/unit/test_rate
check_PROGRAMS += tests/unit/test_timer
check_PROGRAMS += tests/unit/test_worker
check_PROGRAMS += tests/unit/test_store
tests_unit_test_store_SOURCES = tests/unit/test_store.c $(store_support)
check_PROGRAMS += tests/unit/test_store_sqlite
tests_unit_test_store_sqlite_SOURCES = tests/unit/test_store_sqlite.c $(store_support)
check_PROGRAMS += tests/unit/test_store_shared
tests_unit_test_store_shared_SOURCES = tests/unit/test_store_shared.c $(store_support)
check_PROGRAMS += tests/unit/test_store_patience
tests_unit_test_store_patience_SOURCES = tests/unit/test_store_patience.c $(store_support)
check_PROGRAMS += tests/unit/test_overdue
tests_unit_test_overdue_SOURCES = tests/unit/test_overdue.c $(core_support)
check_PROGRAMS += tests/unit/test_stalled
tests_unit_test_stalled_SOURCES = tests/unit/test_stalled.c $(core_support)
check_PROGRAMS += tests/unit/test_powerloss
tests_unit_test_powerloss_SOURCES = tests/unit/test_powerloss.c tests/rig/powerloss.c tests/support/folder.c tests/support/folder.h
check_PROGRAMS += tests/unit/test_error
check_PROGRAMS += tests/unit/test_framer
check_PROGRAMS += tests/unit/test_jid
check_PROGRAMS += tests/unit/test_parser
check_PROGRAMS += tests/unit/test_stamp
check_PROGRAMS += tests/unit/test_stanza
check_PROGRAMS += tests/unit/test_utf8
check_PROGRAMS += tests/unit/test_writer
check_PROGRAMS += tests/unit/test_conn
check_PROGRAMS += tests/unit/test_tls
check_PROGRAMS += tests/unit/test_certificate
check_PROGRAMS += tests/unit/test_config
tests_unit_test_config_SOURCES = tests/unit/test_config.c $(core_support)
check_PROGRAMS += tests/unit/test_custody
tests_unit_test_custody_SOURCES = tests/unit/test_custody.c $(core_support)
check_PROGRAMS += tests/unit/test_router
tests_unit_test_router_SOURCES = tests/unit/test_router.c $(core_support)
check_PROGRAMS += tests/unit/test_account
tests_unit_test_account_SOURCES = tests/unit/test_account.c $(core_support)
check_PROGRAMS += tests/unit/test_journal
check_PROGRAMS += tests/unit/test_kept
tests_unit_test_journal_SOURCES = tests/unit/test_journal.c $(core_support)
check_PROGRAMS += tests/unit/test_watermark
tests_unit_test_watermark_SOURCES = tests/unit/test_watermark.c $(core_support)
check_PROGRAMS += tests/unit/test_retention
tests_unit_test_retention_SOURCES = tests/unit/test_retention.c $(core_support)
tests_unit_test_kept_SOURCES = tests/unit/test_kept.c $(core_support)
check_PROGRAMS += tests/unit/test_session
tests_unit_test_session_SOURCES = tests/unit/test_session.c $(core_support)
check_PROGRAMS += tests/unit/test_smacks
tests_unit_test_smacks_SOURCES = tests/unit/test_smacks.c $(core_support)
check_PROGRAMS += tests/unit/test_invite
tests_unit_test_invite_SOURCES = tests/unit/test_invite.c $(core_support)
check_PROGRAMS += tests/unit/test_iq
tests_unit_test_iq_SOURCES = tests/unit/test_iq.c $(core_support)
check_PROGRAMS += tests/unit/test_adhoc
tests_unit_test_adhoc_SOURCES = tests/unit/test_adhoc.c $(core_support)
check_PROGRAMS += tests/unit/test_disco
tests_unit_test_disco_SOURCES = tests/unit/test_disco.c $(core_support)
check_PROGRAMS += tests/unit/test_connect
check_PROGRAMS += tests/unit/test_resolve
check_PROGRAMS += tests/unit/test_srv
check_PROGRAMS += tests/unit/test_dialback
check_PROGRAMS += tests/unit/test_outbox
tests_unit_test_outbox_SOURCES = tests/unit/test_outbox.c tests/support/store_trial.c tests/support/store_trial.h
check_PROGRAMS += tests/unit/test_policy
tests_unit_test_policy_SOURCES = tests/unit/test_policy.c tests/support/folder.c tests/support/folder.h
check_PROGRAMS += tests/unit/test_s2s
tests_unit_test_s2s_SOURCES = tests/unit/test_s2s.c tests/unit/far.h $(core_support)

check_PROGRAMS += tests/unit/test_s2s_sm
tests_unit_test_s2s_sm_SOURCES = tests/unit/test_s2s_sm.c tests/unit/far.h $(core_support)
check_PROGRAMS += tests/unit/test_server
tests_unit_test_server_SOURCES = tests/unit/test_server.c $(core_support)
endif
