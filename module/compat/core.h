/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Timers, workqueues and other parts of the core kernel.
 */
#ifndef VPN_COMPAT_CORE_H
#define VPN_COMPAT_CORE_H

#include <linux/preempt.h>
#include <linux/local_lock.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <linux/workqueue.h>

/* 6.12: <linux/unaligned.h>. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#include <asm/unaligned.h>
#else
#include <linux/unaligned.h>
#endif

/* 7.0, and what was backported of it, take the size from the type. */
#ifndef kmalloc_obj
#define kmalloc_obj(_what, _gfp)	kmalloc(sizeof(_what), _gfp)
#define kzalloc_obj(_what, _gfp)	kzalloc(sizeof(_what), _gfp)
#define kvzalloc_obj(_what, _gfp)	kvzalloc(sizeof(_what), _gfp)
#endif

/*
 * In 6.12, not in 6.1: memory on the stack that is written before it is read, so
 * that the compiler need not fill it with zeros (CONFIG_INIT_STACK_ALL_ZERO).
 */
#ifndef __uninitialized
#if __has_attribute(__uninitialized__)
#define __uninitialized		__attribute__((__uninitialized__))
#else
#define __uninitialized
#endif
#endif

/* Before 6.11, disabled bottom halves are a lock in every configuration. */
#ifndef local_lock_nested_bh
#define local_lock_nested_bh(_lock)	do { } while (0)
#define local_unlock_nested_bh(_lock)	do { } while (0)
#endif

/* Before 6.17 it goes without saying. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#define WQ_PERCPU	0
#endif

/* 6.10: __string() remembers the source. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define vpn_assign_str(_field, _source)	__assign_str(_field, _source)
#else
#define vpn_assign_str(_field, _source)	__assign_str(_field)
#endif

#endif
