// SPDX-License-Identifier: GPL-2.0
/*
 * Memory in which packets are built: blocks of pages, a ring of them a CPU.
 */

#include <linux/cache.h>
#include <linux/gfp.h>
#include <linux/local_lock.h>
#include <linux/mm.h>
#include <linux/percpu.h>

#include "pages.h"

#define BLOCK_ORDER	3
#define BLOCK_LEN	(PAGE_SIZE << BLOCK_ORDER)

/*
 * What is built leaves soon: it is on its way for as long as queues in front of
 * a cable hold it. More than this many blocks come from the kernel, and go back.
 */
#define BLOCKS		32

#define PAGES_GFP	(GFP_ATOMIC | __GFP_COMP | __GFP_NOWARN | \
			 __GFP_NORETRY | __GFP_NOMEMALLOC)

/**
 * struct pages_cpu - the ring of one CPU
 * @lock: protects the rest; where disabled bottom halves don't (PREEMPT_RT)
 * @at: number of the block that is being filled
 * @used: octets of it; all of them before there is one
 * @blocks: head pages, each with a reference of ours, or NULL
 */
struct pages_cpu {
	local_lock_t lock;
	unsigned int at;
	unsigned int used;
	struct page *blocks[BLOCKS];
};

static struct pages_cpu __percpu *cpus;

/*
 * The block that was filled the longest ago. It is used again if nobody has a
 * reference but us: nobody else can get one then.
 */
static bool next_block(struct pages_cpu *cpu)
{
	unsigned int next = (cpu->at + 1) % BLOCKS;
	struct page *page = cpu->blocks[next];

	if (!page || page_ref_count(page) != 1) {
		struct page *fresh = alloc_pages(PAGES_GFP, BLOCK_ORDER);

		if (unlikely(!fresh))
			return false;
		if (page)
			put_page(page);
		cpu->blocks[next] = fresh;
	}
	cpu->at = next;
	cpu->used = 0;
	return true;
}

static void *cut(struct pages_cpu *cpu, unsigned int front, unsigned int len,
		 unsigned int *count)
{
	unsigned int begin = ALIGN(cpu->used, SMP_CACHE_BYTES);

	if (begin + front + len > BLOCK_LEN) {
		if (front + len > BLOCK_LEN || !next_block(cpu))
			return NULL;
		begin = 0;
	}
	*count = min(*count, (unsigned int)(BLOCK_LEN - begin - front) / len);
	cpu->used = begin + front + *count * len;
	get_page(cpu->blocks[cpu->at]);
	return page_address(cpu->blocks[cpu->at]) + begin;
}

void *vpn_pages_cut(unsigned int front, unsigned int len, unsigned int *count)
{
	struct page *page;
	void *data;

	local_lock_nested_bh(&cpus->lock);
	data = cut(this_cpu_ptr(cpus), front, len, count);
	local_unlock_nested_bh(&cpus->lock);
	if (likely(data))
		return data;
	/* Too long for a block, or there is no memory for a whole one. */
	*count = 1;
	page = alloc_pages(PAGES_GFP, get_order(front + len));
	return page ? page_address(page) : NULL;
}

struct sk_buff *vpn_pages_skb(unsigned int headroom, unsigned int room)
{
	const unsigned int size = SKB_DATA_ALIGN(headroom + room) +
				  SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
	unsigned int count = 1;
	void *head = vpn_pages_cut(0, size, &count);
	struct sk_buff *skb;

	if (unlikely(!head))
		return NULL;
	skb = napi_build_skb(head, size);
	if (unlikely(!skb)) {
		put_page(virt_to_head_page(head));
		return NULL;
	}
	skb_reserve(skb, headroom);
	return skb;
}

int __init vpn_pages_init(void)
{
	int cpu;

	cpus = alloc_percpu(struct pages_cpu);
	if (!cpus)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		local_lock_init(&per_cpu_ptr(cpus, cpu)->lock);
		per_cpu_ptr(cpus, cpu)->used = BLOCK_LEN;
	}
	return 0;
}

void vpn_pages_uninit(void)
{
	struct page *page;
	int cpu, i;

	for_each_possible_cpu(cpu) {
		for (i = 0; i < BLOCKS; i++) {
			page = per_cpu_ptr(cpus, cpu)->blocks[i];
			if (page)
				put_page(page);
		}
	}
	free_percpu(cpus);
}
