/* SPDX-License-Identifier: GPL-2.0-only */
#include "place/look.h"

#include <string.h>

#include "place/memory.h"
#include "place/restart.h"

void grp_place_look(pid_t tid, struct grp_place_look *look)
{
	grp_place_blocked(tid, &look->blocked);
	look->ran_ns = 0;
	if (grp_place_has_time(&look->blocked))
		look->ran_ns = grp_place_last_ran_ns(tid);
}

/* It slept on until it was woken to stop, or what was seen is no more true. */
static void compare(pid_t tid, struct grp_place_look *look, const struct grp_place_status *status)
{
	uint64_t now_ns;

	/* a stop counts as a sleep */
	if (status->sleeps != look->before.sleeps + look->stops)
		look->blocked.known = false;
	if (!look->blocked.known || !look->ran_ns || status->cpu != look->before.cpu)
		return;
	now_ns = grp_place_last_ran_ns(tid);
	if (now_ns > look->ran_ns)
		look->blocked.passed_ns = now_ns - look->ran_ns;
}

static bool is_insn(pid_t tid, uint64_t address)
{
	char insn[GRP_PLACE_INSN_BYTES];

	return grp_place_read(tid, address, insn, sizeof(insn)) == 0 &&
	       !memcmp(insn, GRP_PLACE_INSN, sizeof(insn));
}

int grp_place_look_again(pid_t tid, struct grp_place_look *look,
			 const struct grp_place_status *status, bool filtered,
			 struct grp_place_regs *regs)
{
	const struct grp_place_around around = {
		.insn_at_ip = is_insn(tid, grp_arch_ip(regs)),
		.insn_before_ip = is_insn(tid, grp_arch_ip(regs) - GRP_PLACE_INSN_BYTES),
		.caught = status->caught,
		.blocked = status->blocked,
		.filtered = filtered,
	};

	compare(tid, look, status);
	grp_arch_recall(tid, regs, &around, &look->blocked);
	return grp_arch_settle(regs, &look->blocked, &around);
}
