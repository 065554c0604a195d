/* SPDX-License-Identifier: GPL-2.0 */
/* Why a call of this library failed, in words for a person. */
#ifndef LIBVPN_ERROR_H
#define LIBVPN_ERROR_H

enum vpn_fault {
	VPN_FAULT_NONE,
	VPN_FAULT_NO_MODULE,	/* the kernel has no netlink family "vpn" */
	VPN_FAULT_NO_RIGHTS,	/* CAP_NET_ADMIN is missing */
	VPN_FAULT_NO_DEVICE,	/* no network device of that name */
	VPN_FAULT_WRONG_KIND,	/* the device is not a vpn device */
	VPN_FAULT_REFUSED,	/* the kernel refused the request */
	VPN_FAULT_LOST,		/* events were lost; the next call goes on */
	VPN_FAULT_SYSTEM,	/* everything else */
};

struct vpn_error {
	enum vpn_fault fault;
	int code;		/* errno */
	char text[512];		/* a sentence without a full stop */
};

/* Fill err (which may be NULL) and return -code. */
int vpn_error_set(struct vpn_error *err, enum vpn_fault fault, int code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
