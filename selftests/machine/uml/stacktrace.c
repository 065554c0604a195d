// SPDX-License-Identifier: GPL-2.0
/*
 * Goes into arch/um/kernel/stacktrace.c of the debug kernel.
 *
 * Along the frame pointers only.  The search of the whole stack that is there
 * takes a hundred times as long, and the checkers want a trace for every
 * allocation.
 */
static void __save_stack_trace(struct task_struct *tsk, struct stack_trace *trace)
{
	unsigned long frame = get_frame_pointer(tsk, tsk->thread.segv_regs);
	const unsigned long end = (frame & ~(THREAD_SIZE - 1)) + THREAD_SIZE;
	unsigned long *at, next;

	while (frame && !(frame % sizeof(long)) &&
	       frame + 2 * sizeof(long) <= end &&
	       trace->nr_entries < trace->max_entries) {
		at = (unsigned long *)frame;
		if (!READ_ONCE_NOCHECK(at[1]))
			break;
		trace->entries[trace->nr_entries++] = READ_ONCE_NOCHECK(at[1]);
		next = READ_ONCE_NOCHECK(at[0]);
		if (next <= frame)
			break;
		frame = next;
	}
}
