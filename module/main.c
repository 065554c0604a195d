// SPDX-License-Identifier: GPL-2.0
/*
 * Load and unload of the module.
 */

#include <linux/module.h>
#include <net/genetlink.h>
#include <net/rtnetlink.h>
#include <uapi/linux/vpn.h>

#include "aead.h"
#include "allowedips.h"
#include "device.h"
#include "handshake.h"
#include "lease.h"
#include "netlink.h"
#include "noise.h"
#include "pages.h"
#include "peer.h"
#include "session.h"
#include "tx.h"
#ifdef VPN_TEST
#include "selftest/selftest.h"
#endif

#define CREATE_TRACE_POINTS
#include "trace.h"

#ifndef VPN_TEST
static int vpn_selftest_run(void)
{
	return 0;
}
#endif

static int __init vpn_init(void)
{
	int err;

	err = vpn_noise_init();
	if (err)
		return err;
	err = vpn_aead_init();
	if (err)
		return err;
	vpn_handshake_init();
	err = vpn_allowedips_init();
	if (err)
		goto err_aead;
	err = vpn_session_init();
	if (err)
		goto err_allowedips;
	err = vpn_peer_init();
	if (err)
		goto err_session;
	err = vpn_lease_init();
	if (err)
		goto err_peer;
	err = vpn_pages_init();
	if (err)
		goto err_lease;
	err = vpn_tx_init();
	if (err)
		goto err_pages;
	err = vpn_selftest_run();
	if (err)
		goto err_tx;
	/* While there are devices, there is somebody to tell of them. */
	err = vpn_netlink_init();
	if (err)
		goto err_tx;
	err = vpn_device_init();
	if (err)
		goto err_netlink;
	return 0;

err_netlink:
	vpn_netlink_uninit();
err_tx:
	vpn_tx_uninit();
err_pages:
	vpn_pages_uninit();
err_lease:
	vpn_lease_uninit();
err_peer:
	vpn_peer_uninit();
err_session:
	vpn_session_uninit();
err_allowedips:
	vpn_allowedips_uninit();
err_aead:
	vpn_aead_uninit();
	return err;
}

/* What sleeps until others are done does so in its own uninit function. */
static void __exit vpn_exit(void)
{
	vpn_device_uninit();
	vpn_netlink_uninit();
	vpn_tx_uninit();
	vpn_pages_uninit();
	vpn_lease_uninit();
	vpn_peer_uninit();
	vpn_session_uninit();
	rcu_barrier();
	vpn_allowedips_uninit();
	vpn_aead_uninit();
}

module_init(vpn_init);
module_exit(vpn_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VPN tunnel that speaks the WireGuard protocol");
MODULE_AUTHOR("The vpn developers");
MODULE_VERSION(VPN_VERSION);
MODULE_ALIAS_RTNL_LINK("vpn");
MODULE_ALIAS_GENL_FAMILY(VPN_FAMILY_NAME);
