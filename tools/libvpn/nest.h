/* SPDX-License-Identifier: GPL-2.0 */
/* Values and nests of the family "vpn", to and from its attributes. */
#ifndef LIBVPN_NEST_H
#define LIBVPN_NEST_H

#include <libmnl/libmnl.h>
#include <stdbool.h>

#include "device.h"

/* Copies only a value of exactly that size. */
bool vpn_attr_copy(const struct nlattr *attr, void *value, size_t size);
/* Cut to the size, and terminated. */
void vpn_attr_string(const struct nlattr *attr, char *value, size_t size);
/* YNL's "uint" takes four or eight octets, whatever the value needs. */
uint64_t vpn_attr_uint(const struct nlattr *attr);

/* False: there is no address in it. */
bool vpn_nest_read_address(const struct nlattr *nest, struct vpn_address *address);

/* These return zero or -ENOMEM. What is in error in a nest is left out. */
int vpn_nest_add_address(const struct nlattr *nest, struct vpn_addresses *addresses);
int vpn_nest_read_list(const struct nlattr *nest, struct vpn_addresses *addresses);
int vpn_nest_add_lease(const struct nlattr *nest, struct vpn_leases *leases);
int vpn_nest_add_pool(const struct nlattr *nest, struct vpn_device *dev);
int vpn_nest_read_assigned(const struct nlattr *nest, struct vpn_assigned **assigned);
int vpn_nest_read_refusal(const struct nlattr *nest, struct vpn_refusal **refusal);
int vpn_nest_read_ending(const struct nlattr *nest, struct vpn_ending **ending);
int vpn_nest_read_histogram(const struct nlattr *nest, struct vpn_histogram *histogram);
int vpn_nest_read_auth_request(const struct nlattr *nest, struct vpn_auth_request **request);
/* A copy of a text, to free. */
int vpn_attr_strdup(const struct nlattr *attr, char **text);

/* with_len: also the length of its prefix. */
void vpn_nest_put_address(struct nlmsghdr *nlh, uint16_t type, const struct vpn_address *address,
			  bool with_len);
void vpn_nest_put_list(struct nlmsghdr *nlh, uint16_t type, const struct vpn_addresses *addresses);
void vpn_nest_put_pool(struct nlmsghdr *nlh, const struct vpn_pool *pool);
void vpn_nest_put_lease(struct nlmsghdr *nlh, const struct vpn_lease *lease);

#endif
