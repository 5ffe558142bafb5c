/* SPDX-License-Identifier: MIT
 *
 * The modules of this server. The order of the list is the order of every hook (core/module.h): who stands
 * first sees a stanza first.
 */
#include "modules.h"

#include "core/module.h"

extern const struct module addresses_module;
extern const struct module administration_module;
extern const struct module archiving_module;
extern const struct module adhoc_module;
extern const struct module avatar_module;
extern const struct module blocking_module;
extern const struct module bookmarks_module;
extern const struct module caps_module;
extern const struct module carbons_module;
extern const struct module client_module;
extern const struct module component_module;
extern const struct module control_module;
extern const struct module csi_module;
extern const struct module disco_module;
extern const struct module ghosts_module;
extern const struct module im_module;
extern const struct module invitation_module;
extern const struct module invite_module;
extern const struct module inviting_module;
extern const struct module last_module;
extern const struct module mam_module;
extern const struct module pep_module;
extern const struct module ping_module;
extern const struct module private_module;
extern const struct module pubsub_module;
extern const struct module registration_module;
extern const struct module push_module;
extern const struct module retention_module;
extern const struct module s2s_module;
extern const struct module session_module;
extern const struct module services_module;
extern const struct module shown_module;
extern const struct module status_module;
extern const struct module time_module;
extern const struct module user_module;
extern const struct module vcard_module;
extern const struct module vcard4_module;
extern const struct module version_module;

const struct module *const modules[] = {
	&blocking_module, &carbons_module, &csi_module, &services_module,
	&caps_module,  &pubsub_module, &bookmarks_module, &pep_module, &avatar_module,
	&adhoc_module,
	&push_module,
	&disco_module, &ping_module,    &version_module, &time_module, &last_module,      &private_module,
	&vcard_module, &vcard4_module, &im_module,      &client_module,
	&ghosts_module, &shown_module, /* of an account with the sessions that its clients have left here */
	&s2s_module,   &component_module, &status_module,
	&user_module,  &session_module, &control_module, &mam_module, &addresses_module,
	&administration_module,
	&registration_module,
	&invite_module, &invitation_module, &inviting_module,
	&archiving_module,
	&retention_module,
	NULL,
};
