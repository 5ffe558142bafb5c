/* SPDX-License-Identifier: MIT
 *
 * Each namespace has one name, here. Source: the specification named beside it.
 */
#ifndef XMPP_NS_H
#define XMPP_NS_H

#define NS_XML "http://www.w3.org/XML/1998/namespace"
#define NS_STREAM "http://etherx.jabber.org/streams"                   /* RFC 6120 §4 */
#define NS_CLIENT "jabber:client"
#define NS_SERVER "jabber:server"
#define NS_COMPONENT_ACCEPT "jabber:component:accept"                  /* XEP-0114 */
#define NS_STREAM_ERRORS "urn:ietf:params:xml:ns:xmpp-streams"         /* RFC 6120 §4.9 */
#define NS_STANZA_ERRORS "urn:ietf:params:xml:ns:xmpp-stanzas"         /* RFC 6120 §8.3 */
#define NS_TLS "urn:ietf:params:xml:ns:xmpp-tls"                       /* RFC 6120 §5 */
#define NS_SASL "urn:ietf:params:xml:ns:xmpp-sasl"                     /* RFC 6120 §6 */
#define NS_SASL2 "urn:xmpp:sasl:2"                                     /* XEP-0388 */
#define NS_IAP "urn:xmpp:iap:0"                                        /* XEP-0509 */
#define NS_FAST "urn:xmpp:fast:0"                                      /* XEP-0484 */
#define NS_BIND2 "urn:xmpp:bind:0"                                     /* XEP-0386 */
#define NS_BIND "urn:ietf:params:xml:ns:xmpp-bind"                     /* RFC 6120 §7 */
#define NS_SESSION "urn:ietf:params:xml:ns:xmpp-session"               /* RFC 3921 §3 */
#define NS_ROSTER "jabber:iq:roster"                                   /* RFC 6121 §2 */
#define NS_ROSTERVER "urn:xmpp:features:rosterver"                     /* RFC 6121 §2.6 */
#define NS_PREAPPROVAL "urn:xmpp:features:pre-approval"                /* RFC 6121 §3.4 */
#define NS_DIALBACK "jabber:server:dialback"                           /* XEP-0220 */
#define NS_DIALBACK_FEATURE "urn:xmpp:features:dialback"               /* XEP-0220 §2.4.2 */
#define NS_SASL_CB "urn:xmpp:sasl-cb:0"                                /* XEP-0440 */
#define NS_DISCO_INFO "http://jabber.org/protocol/disco#info"          /* XEP-0030 */
#define NS_DISCO_ITEMS "http://jabber.org/protocol/disco#items"
#define NS_CAPS "http://jabber.org/protocol/caps"                      /* XEP-0115 */
#define NS_BOOKMARKS "urn:xmpp:bookmarks:1"                            /* XEP-0402 */
#define NS_BOOKMARKS_OLD "storage:bookmarks"                           /* XEP-0048 */
#define NS_RSM "http://jabber.org/protocol/rsm"                        /* XEP-0059 */
#define NS_PUBSUB "http://jabber.org/protocol/pubsub"                  /* XEP-0060 */
#define NS_PUBSUB_OWNER "http://jabber.org/protocol/pubsub#owner"
#define NS_PUBSUB_EVENT "http://jabber.org/protocol/pubsub#event"
#define NS_PUBSUB_ERRORS "http://jabber.org/protocol/pubsub#errors"
#define NS_DATA_FORM "jabber:x:data"                                  /* XEP-0004 */
#define NS_XDATA_VALIDATE "http://jabber.org/protocol/xdata-validate" /* XEP-0122 */
#define NS_COMMANDS "http://jabber.org/protocol/commands"              /* XEP-0050 */
#define NS_ADMIN "http://jabber.org/protocol/admin"                    /* XEP-0133 */
#define NS_REGISTER "jabber:iq:register"                               /* XEP-0077 */
#define NS_REGISTER_FEATURE "http://jabber.org/features/iq-register"   /* XEP-0077 §8 */
#define NS_PARS "urn:xmpp:pars:0"                                      /* XEP-0379 */
#define NS_IBR_TOKEN "urn:xmpp:ibr-token:0"                            /* XEP-0445 §3 */
#define NS_INVITE "urn:xmpp:invite"                                    /* XEP-0401 */
#define NS_PING "urn:xmpp:ping"                                        /* XEP-0199 */
#define NS_VERSION "jabber:iq:version"                                 /* XEP-0092 */
#define NS_TIME "urn:xmpp:time"                                        /* XEP-0202 */
#define NS_LAST "jabber:iq:last"                                       /* XEP-0012 */
#define NS_PRIVATE "jabber:iq:private"                                 /* XEP-0049 */
#define NS_VCARD "vcard-temp"                                          /* XEP-0054 */
#define NS_VCARD4 "urn:ietf:params:xml:ns:vcard-4.0"                    /* XEP-0292 */
#define NS_DELAY "urn:xmpp:delay"                                      /* XEP-0203 */
#define NS_OFFLINE_FEATURE "msgoffline"                                /* XEP-0160 */
#define NS_SID "urn:xmpp:sid:0"                                        /* XEP-0359 */
#define NS_CHAT_STATES "http://jabber.org/protocol/chatstates"         /* XEP-0085 */
#define NS_MAM "urn:xmpp:mam:2"                                         /* XEP-0313 */
#define NS_SM "urn:xmpp:sm:3"                                          /* XEP-0198 */
#define NS_HINTS "urn:xmpp:hints"                                      /* XEP-0334 */
#define NS_PUSH "urn:xmpp:push:0"                                      /* XEP-0357 */
#define NS_CSI "urn:xmpp:csi:0"                                        /* XEP-0352 */
#define NS_EXTDISCO "urn:xmpp:extdisco:2"                              /* XEP-0215 */
#define NS_FORWARD "urn:xmpp:forward:0"                                /* XEP-0297 */
#define NS_CARBONS "urn:xmpp:carbons:2"                                /* XEP-0280 */
#define NS_RECEIPTS "urn:xmpp:receipts"                                /* XEP-0184 */
#define NS_RETRACT "urn:xmpp:message-retract:1"                         /* XEP-0424 */
#define NS_CHAT_MARKERS "urn:xmpp:chat-markers:0"                      /* XEP-0333 */
#define NS_CONFERENCE "jabber:x:conference"                            /* XEP-0249 */
#define NS_MUC_USER "http://jabber.org/protocol/muc#user"              /* XEP-0045 */
#define NS_JOIN "urn:hansa:join:0"                                     /* ours: two branches join (s2s/joining.h) */
#define NS_BLOCKING "urn:xmpp:blocking"                                /* XEP-0191 */
#define NS_BLOCKING_ERRORS "urn:xmpp:blocking:errors"

#endif
