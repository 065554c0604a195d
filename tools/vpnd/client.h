/* SPDX-License-Identifier: GPL-2.0 */
/* The client's part: which server, where it is, and whether it answers. */
#ifndef VPND_CLIENT_H
#define VPND_CLIENT_H

#include "daemon.h"

int client_open(struct daemon *d, struct vpn_error *err);
/* When everything is set up: connect, if it is to be by itself. */
void client_begin(struct client *client);
void client_close(struct daemon *d);

/* Zero, or a negative errno with a sentence in err. */
int client_connect(struct client *client, struct vpn_error *err);
void client_disconnect(struct client *client);
/* The configuration has changed; or an error with a sentence in err, and nothing has. */
int client_reconfigure(struct client *client, struct vpn_error *err);
/* It was not taken after all; the one before is in force again. */
void client_restored(struct client *client);
/* What has changed is in force: look for the server anew if it is another one than that. */
void client_reconfigured(struct client *client, const struct config_endpoint *before);

/* Why what should be cannot all be set up; an empty text: it is. */
void client_failed(struct client *client, const char *reason);

/* Events. */
/* The server has said goodbye; reason: VPN_DISCONNECT_REASON_*. */
void client_sent_away(struct client *client, uint32_t reason);
void client_handshake(struct client *client);
void client_assigned(struct client *client, const struct vpn_assigned *assigned);
void client_refused(struct client *client, const struct vpn_refusal *refusal);

/* "waiting", "resolving", "connecting", "connected". */
const char *client_state(const struct client *client);
/* The server's name, and the reason why it is not connected, or an empty text. */
const char *client_server(const struct client *client);
const char *client_trouble(const struct client *client);

#endif
