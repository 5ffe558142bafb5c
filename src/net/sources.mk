# SPDX-License-Identifier: MIT
# The .c files and private headers of src/net.

libhansa_a_SOURCES += \
	src/net/address.c \
	src/net/conn.c \
	src/net/conn_inside.h \
	src/net/conn_move.c \
	src/net/conn_output.c \
	src/net/conn_shared.c \
	src/net/conn_shared.h \
	src/net/conn_tls.c \
	src/net/event_door.h \
	src/net/mailbox.c \
	src/net/mailbox.h \
	src/net/rate.c \
	src/net/timer.c \
	src/net/tls.c \
	src/net/tls_door.h \
	src/net/tls_session.c \
	src/net/tls_session.h \
	src/net/tls_ticket.c \
	src/net/transport_pipe.c \
	src/net/transport_socket.c \
	src/net/wheel.c \
	src/net/wheel.h \
	src/net/worker.c \
	src/net/worker_inside.h
