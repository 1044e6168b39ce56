/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program that counts direct reclaim, run for tasks of this test: buckets by the
 * second, election of generations, what is pinned while it is on. Needs root.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "instance.h"
#include "reclaim.skel.h"

#define PINS "/sys/fs/bpf/grpagent"
/* Of tasks of this test only: the machine may reclaim memory for others meanwhile. */
#define SET 5
#define OTHER_SET 6

struct state {
	struct instance instance;
	struct reclaim *skel;
};

static struct state state;

static int setup(void **unused)
{
	return instance_open(&state.instance, "pressure", NULL);
}

static int teardown(void **unused)
{
	return instance_end(&state.instance);
}

static const char *pin_path(const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), PINS "/%s/%s", state.instance.name, name);
	return path;
}

static int pinned(const char *name)
{
	int fd = bpf_obj_get(pin_path(name));

	assert_true(fd >= 0);
	return fd;
}

static void reuse(struct bpf_map *map)
{
	int fd = pinned(bpf_map__name(map));

	assert_int_equal(bpf_map__reuse_fd(map, fd), 0);
	(void)close(fd);
}

/* The program, over the maps of the instance, as of one generation. */
static struct reclaim *load(uint32_t generation)
{
	struct reclaim *skel = reclaim__open();

	assert_non_null(skel);
	skel->rodata->generation = generation;
	assert_int_equal(bpf_map__set_max_entries(skel->maps.reclaims, INSTANCE_CAPACITY_SETS), 0);
	reuse(skel->maps.tasks);
	reuse(skel->maps.reclaims);
	reuse(skel->maps.reclaim_owner);
	assert_int_equal(reclaim__load(skel), 0);
	return skel;
}

static void run(const struct reclaim *skel, unsigned int times)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	for (; times; times--)
		assert_int_equal(
			bpf_prog_test_run_opts(bpf_program__fd(skel->progs.reclaim), &opts), 0);
}

/* In all buckets together. */
static uint64_t events(unsigned int set)
{
	const struct grp_pressure *pressure = &grp_bpf_view(state.instance.bpf)->pressure[set];
	uint64_t sum = 0;

	for (unsigned int i = 0; i < GRP_PRESSURE_SECONDS; i++)
		sum += pressure->bucket[i] & ((1U << GRP_PRESSURE_EVENTS_BITS) - 1);
	return sum;
}

static uint32_t owner(void)
{
	uint32_t zero = 0, value = UINT32_MAX;
	int fd = pinned("reclaim_owner");

	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &value), 0);
	(void)close(fd);
	return value;
}

static void switch_on(void)
{
	int r = grp_bpf_ops.pressure(state.instance.bpf, true);

	if (r == -ENOENT || r == -EOPNOTSUPP || r == -ESRCH) {
		print_message("# skip: no mm_vmscan_direct_reclaim_begin here\n");
		skip();
	}
	assert_int_equal(r, 0);
}

static void move_self(uint32_t from, uint32_t to)
{
	const struct grp_scan_request request = { .tid = getpid() };

	(void)instance_move(&state.instance, &request, from, to);
}

/* --- counting ---------------------------------------------------------------------- */

static void by_set_and_second(void **unused)
{
	struct timespec before, after;
	const struct grp_pressure *pressure;
	uint64_t sum = 0;

	switch_on();
	state.skel = load(grp_bpf_generation(state.instance.bpf));
	move_self(GRP_SET_ROOT, SET);
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	run(state.skel, 10);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	move_self(SET, OTHER_SET);
	run(state.skel, 3);
	pressure = &grp_bpf_view(state.instance.bpf)->pressure[SET];
	for (time_t second = before.tv_sec; second <= after.tv_sec; second++)
		sum += grp_pressure_events(pressure->bucket[second % GRP_PRESSURE_SECONDS], second);
	assert_int_equal(sum, 10);
	assert_int_equal(events(SET), 10);
	assert_int_equal(events(OTHER_SET), 3);
	assert_int_equal(events(OTHER_SET + 1), 0);
	reclaim__destroy(state.skel);
}

/* What a lap ago stood in a bucket is gone; more than make a difference are not counted. */
static void laps_and_bounds(void **unused)
{
	/* of another lap than the present one, also on a machine that has just been booted */
	uint64_t lap = grp_now_usec() / 1000000 / GRP_PRESSURE_SECONDS + 2;
	struct grp_pressure full;
	uint32_t set = SET;
	int fd;

	switch_on();
	state.skel = load(grp_bpf_generation(state.instance.bpf));
	move_self(GRP_SET_ROOT, SET);
	fd = bpf_map__fd(state.skel->maps.reclaims);
	for (unsigned int i = 0; i < GRP_PRESSURE_SECONDS; i++)
		full.bucket[i] = grp_pressure_bucket(lap * GRP_PRESSURE_SECONDS + i, 7);
	assert_int_equal(bpf_map_update_elem(fd, &set, &full, BPF_ANY), 0);
	run(state.skel, 1);
	assert_int_equal(events(SET), (GRP_PRESSURE_SECONDS - 1) * 7 + 1);
	memset(&full, 0, sizeof(full));
	assert_int_equal(bpf_map_update_elem(fd, &set, &full, BPF_ANY), 0);
	/* However many seconds they take. */
	run(state.skel, 4 * GRP_PRESSURE_EVENTS_MAX);
	for (unsigned int i = 0; i < GRP_PRESSURE_SECONDS; i++)
		assert_in_range(grp_bpf_view(state.instance.bpf)->pressure[set].bucket[i] &
					((1U << GRP_PRESSURE_EVENTS_BITS) - 1),
				0, GRP_PRESSURE_EVENTS_MAX);
	reclaim__destroy(state.skel);
}

/* Several processes at once: none is lost. */
static void at_once(void **unused)
{
	enum {
		PROCESSES = 4,
		EACH = 100
	};

	switch_on();
	state.skel = load(grp_bpf_generation(state.instance.bpf));
	move_self(GRP_SET_ROOT, SET);
	for (unsigned int i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (!pid) {
			run(state.skel, EACH);
			_exit(0);
		}
	}
	for (unsigned int i = 0; i < PROCESSES; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(events(SET), PROCESSES * EACH);
	reclaim__destroy(state.skel);
}

/* A dead set's events go when its id becomes usable again, and those of no other. */
static void cleared(void **unused)
{
	struct grp_control control = { .op = GRP_CONTROL_RETIRE, .set = SET };

	switch_on();
	state.skel = load(grp_bpf_generation(state.instance.bpf));
	move_self(GRP_SET_ROOT, SET);
	run(state.skel, 10);
	move_self(SET, OTHER_SET);
	run(state.skel, 3);
	assert_int_equal(grp_bpf_ops.control(state.instance.bpf, &control), 0);
	assert_int_equal(events(SET), 10);
	control.op = GRP_CONTROL_CLEAR;
	assert_int_equal(grp_bpf_ops.control(state.instance.bpf, &control), 0);
	assert_int_equal(events(SET), 0);
	assert_int_equal(events(OTHER_SET), 3);
	reclaim__destroy(state.skel);
}

/* --- generations ----------------------------------------------------------------------- */

static void one_generation_counts(void **unused)
{
	struct reclaim *older, *newer;
	struct grp_bpf *second = NULL;

	switch_on();
	assert_int_equal(owner(), 1);
	older = load(1);
	newer = load(2);
	move_self(GRP_SET_ROOT, SET);
	run(older, 1);
	run(newer, 1);
	assert_int_equal(events(SET), 1);
	/* The agent is killed and started again. */
	assert_int_equal(access(pin_path("links-1/on_reclaim"), F_OK), 0);
	second = instance_load(&state.instance, NULL);
	assert_non_null(second);
	assert_int_equal(owner(), 2);
	assert_int_equal(access(pin_path("links-1"), F_OK), -1);
	assert_int_equal(access(pin_path("links-2/on_reclaim"), F_OK), 0);
	assert_non_null(grp_bpf_view(second)->pressure);
	run(older, 1);
	run(newer, 1);
	assert_int_equal(events(SET), 2);
	reclaim__destroy(older);
	reclaim__destroy(newer);
	grp_bpf_close(state.instance.bpf);
	state.instance.bpf = second;
}

static void nothing_stays(void **unused)
{
	struct grp_bpf *second = NULL;

	assert_null(grp_bpf_view(state.instance.bpf)->pressure);
	switch_on();
	switch_on();
	assert_non_null(grp_bpf_view(state.instance.bpf)->pressure);
	assert_int_equal(grp_bpf_ops.pressure(state.instance.bpf, false), 0);
	assert_int_equal(grp_bpf_ops.pressure(state.instance.bpf, false), 0);
	assert_null(grp_bpf_view(state.instance.bpf)->pressure);
	assert_int_equal(access(pin_path("links-1/on_reclaim"), F_OK), -1);
	assert_int_equal(access(pin_path("reclaims"), F_OK), -1);
	assert_int_equal(access(pin_path("reclaim_owner"), F_OK), -1);
	/* Also a start does not begin it by itself. */
	second = instance_load(&state.instance, NULL);
	assert_non_null(second);
	assert_null(grp_bpf_view(second)->pressure);
	grp_bpf_close(state.instance.bpf);
	state.instance.bpf = second;
}

/* A kill before the owner was written: the next start takes away what there is. */
static void half_switched_on(void **unused)
{
	struct grp_bpf *second = NULL;
	uint32_t zero = 0, nobody = 0;
	int fd;

	switch_on();
	fd = pinned("reclaim_owner");
	assert_int_equal(bpf_map_update_elem(fd, &zero, &nobody, BPF_ANY), 0);
	(void)close(fd);
	second = instance_load(&state.instance, NULL);
	assert_non_null(second);
	assert_null(grp_bpf_view(second)->pressure);
	assert_int_equal(access(pin_path("links-1"), F_OK), -1);
	assert_int_equal(access(pin_path("links-2/on_reclaim"), F_OK), -1);
	assert_int_equal(access(pin_path("reclaims"), F_OK), -1);
	grp_bpf_close(state.instance.bpf);
	state.instance.bpf = second;
}

int main(void)
{
#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(by_set_and_second), TEST(laps_and_bounds),	      TEST(at_once),
		TEST(cleared),		 TEST(one_generation_counts), TEST(nothing_stays),
		TEST(half_switched_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
