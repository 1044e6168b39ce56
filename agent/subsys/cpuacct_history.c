/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The historical forms of cpuacct: usage_ms and load as in 2.6.24 (ACCT-14...16),
 * report as in January 2007 (ACCT-8...10). All of a group's own tasks only.
 *
 * Windows last 10 s and begin at multiples of that. What a group had used at the
 * begin of the present window and of the one before it is in its row of the table
 * of shown values, which outlives the agent; the load is the difference. The row
 * of a root is written last: it says how far its hierarchy is, so that a roll that
 * was cut short is done again. A group without a window of its own was made in the
 * present one, when it had used nothing.
 */
#include <inttypes.h>
#include <string.h>

#include "subsys/cpuacct.h"

#define WINDOW_NS (10 * NS_PER_S)
#define FLAG "cpuacct.load_enabled"

static struct grp_shown *row_of(struct grp_core *core, const struct grp_group *group)
{
	return &grp_core_view(core)->shown[group->row];
}

/* Where a row has what was used at the begin of the window that @ns is in. */
static __u64 *own_at(struct grp_shown *row, uint64_t ns)
{
	return &row->window_own_ns[ns / WINDOW_NS % 2];
}

static uint64_t boundary_after(uint64_t ns)
{
	return (ns / WINDOW_NS + 1) * WINDOW_NS;
}

static bool is_enabled(struct grp_core *core, const struct grp_hierarchy *hierarchy)
{
	const struct grp_value_entry *entry =
		grp_value_find(core, hierarchy->root, GRP_VALUE_SETTING, FLAG);

	return entry && !strcmp(entry->data, "1");
}

/* --- windows --------------------------------------------------------------------------- */

/* The step that decides comes after what it decides about, also for a kill. */
static void set_window(struct grp_shown *row, uint64_t begin)
{
	__atomic_store_n(&row->window_ns, begin, __ATOMIC_RELEASE);
}

/* Nothing is known of the time before now. */
static void begin_window(struct grp_shown *row, uint64_t own, uint64_t now)
{
	row->window_own_ns[0] = own;
	row->window_own_ns[1] = own;
	set_window(row, now);
}

/*
 * ACCT-15. When the boundary was noticed late, as after a restart, what was used
 * since the begin is spread evenly over it. A window that did not begin at a
 * boundary is not a whole one: its load is 0.
 */
static void roll_window(struct grp_shown *row, uint64_t begin, uint64_t own, uint64_t now)
{
	uint64_t boundary = boundary_after(begin), before = *own_at(row, begin), used;

	if (now < boundary)
		return;
	if (now >= boundary + WINDOW_NS) {
		begin_window(row, own, now);
		return;
	}
	used = (unsigned __int128)grp_above(own, before) * (boundary - begin) / (now - begin);
	if (begin % WINDOW_NS)
		*own_at(row, begin) = before + used;
	*own_at(row, boundary) = before + used;
	set_window(row, boundary);
}

static int roll_group(struct grp_core *core, const struct grp_group *group, uint64_t begin,
		      uint64_t now)
{
	struct grp_shown *row = row_of(core, group);
	struct grp_usage usage;
	int r = grp_usage_read(core, group, false, &usage);

	if (r)
		return r;
	if (begin)
		roll_window(row, row->window_ns ?: begin, usage.time_ns, now);
	else
		begin_window(row, usage.time_ns, now);
	return 0;
}

uint64_t grp_cpuacct_due(struct grp_core *core, struct grp_hierarchy *hierarchy)
{
	uint64_t begin = row_of(core, hierarchy->root)->window_ns;

	if (!is_enabled(core, hierarchy))
		return 0;
	return begin ? boundary_after(begin) : 1;
}

int grp_cpuacct_tick(struct grp_core *core, struct grp_hierarchy *hierarchy, uint64_t now_ns)
{
	struct grp_group *root = hierarchy->root, *group = grp_group_next(root, root);
	uint64_t begin = row_of(core, root)->window_ns;
	int r = 0;

	for (; !r && group; group = grp_group_next(root, group))
		r = roll_group(core, group, begin, now_ns);
	return r ?: roll_group(core, root, begin, now_ns);
}

/* --- files ------------------------------------------------------------------------------- */

/* Whether windows are kept there now; brings them up to date. */
static int update(const struct grp_file_access *access, bool *ret_measured)
{
	struct grp_hierarchy *hierarchy = access->group->hierarchy;

	*ret_measured = is_enabled(access->core, hierarchy) &&
			!(hierarchy->disabled & (1U << access->ref->index));
	return *ret_measured ? grp_core_tick(access->core) : 0;
}

int grp_cpuacct_read_ms(const struct grp_file_access *access, FILE *out)
{
	uint64_t own;
	int r = grp_cpuacct_own(access, &own);

	if (!r)
		(void)fprintf(out, "%" PRIu64 "\n", own / (NS_PER_S / 1000));
	return r;
}

int grp_cpuacct_read_load(const struct grp_file_access *access, FILE *out)
{
	struct grp_shown *row = row_of(access->core, access->group);
	uint64_t used = 0;
	bool measured;
	int r = update(access, &measured);

	if (r)
		return r;
	if (measured && row->window_ns)
		used = grp_above(*own_at(row, row->window_ns),
				 *own_at(row, row->window_ns + WINDOW_NS));
	(void)fprintf(out, "%" PRIu64 "\n", used * 100 / WINDOW_NS);
	return 0;
}

/*
 * ACCT-9: the interval is the present window. A CPU that is offline accounts no
 * time, idle neither: it is not among "all CPUs".
 */
int grp_cpuacct_read_report(const struct grp_file_access *access, FILE *out)
{
	struct grp_shown *row = row_of(access->core, access->group);
	uint64_t tick = grp_ns_per_tick(), time = 0, interval = 0, own, begin;
	bool measured;
	int r = update(access, &measured);

	if (!r)
		r = grp_cpuacct_own(access, &own);
	if (r)
		return r;
	if (measured) {
		begin = row_of(access->core, access->group->hierarchy->root)->window_ns;
		time = grp_above(own, *own_at(row, begin)) / tick;
		interval = grp_above(grp_core_clock(access->core), begin) *
			   grp_core_view(access->core)->online_cpus / tick;
	}
	(void)fprintf(out,
		      "time %" PRIu64 "\naccumulated time %" PRIu64 "\ntime since interval %" PRIu64
		      "\nload %" PRIu64 "\n",
		      time, own / tick, interval, interval ? 100 * time / interval : 0);
	return 0;
}

int grp_cpuacct_read_enabled(const struct grp_file_access *access, FILE *out)
{
	(void)fprintf(out, "%d\n", is_enabled(access->core, access->group->hierarchy));
	return 0;
}

/* Windows of an earlier time are forgotten before they could count again. */
int grp_cpuacct_write_enabled(const struct grp_file_access *access, const char *text, size_t len)
{
	bool on;
	int r = grp_file_parse_flag(access, text, &on);

	(void)len;
	if (r || on == is_enabled(access->core, access->group->hierarchy))
		return r;
	if (on)
		set_window(row_of(access->core, access->group), 0);
	r = grp_value_put(access->core, access->group, GRP_VALUE_SETTING, FLAG, on ? "1" : "0", 1);
	/* Should it fail, it stays due and is done again. */
	if (!r)
		(void)grp_core_tick(access->core);
	return r;
}
