/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rendering of a hand-made snapshot: exact numbers, escaped labels, both forms,
 * and that pieces give the same text as the whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "front/families.h"
#include "front/metrics.h"

#define TEXT_BYTES (4 << 20)
#define WHOLE (TEXT_BYTES / 2)

/* The whole document, read in pieces of so many bytes; NUL-terminated, owned by the caller. */
static char *render(struct grp_metrics *metrics, enum grp_metrics_format format, size_t piece)
{
	struct grp_metrics_render state;
	char *text = malloc(TEXT_BYTES);
	size_t len = 0;
	ssize_t n;

	assert_non_null(text);
	grp_metrics_render_init(&state, metrics, format);
	do {
		assert_true(piece < TEXT_BYTES - len);
		n = grp_metrics_render_read(&state, text + len, piece);
		assert_in_range(n, 0, piece);
		len += (size_t)n;
	} while ((size_t)n == piece);
	assert_int_equal(grp_metrics_render_read(&state, text + len, 1), 0);
	text[len] = '\0';
	assert_int_equal(strlen(text), len);
	grp_metrics_render_done(&state);
	return text;
}

static void assert_has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = strstr(text, line); at; at = strstr(at + 1, line))
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return;
	fail_msg("no line `%s' in:\n%s", line, text);
}

static void set_name(struct grp_metrics_group *group, const char *hierarchy, const char *path)
{
	free(group->labels);
	assert_int_equal(grp_metrics_labels(hierarchy, path, &group->labels), 0);
}

static struct grp_metrics *make_metrics(size_t n_groups)
{
	struct grp_metrics *metrics = calloc(1, sizeof(*metrics));

	assert_non_null(metrics);
	metrics->groups = calloc(n_groups, sizeof(*metrics->groups));
	assert_non_null(metrics->groups);
	metrics->n_groups = n_groups;
	for (size_t i = 0; i < n_groups; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "/g%zu", i);
		set_name(&metrics->groups[i], "default", path);
	}
	return metrics;
}

static void test_seconds_are_exact(void **state)
{
	struct grp_metrics *metrics = make_metrics(3);
	_cleanup_free_ char *text = NULL;

	metrics->groups[0].own.time_ns = 1;
	metrics->groups[1].own.time_ns = 9007199254740993; /* no double has it */
	metrics->groups[2].own.time_ns = UINT64_MAX;
	metrics->groups[2].tree_ns = 1000000000;
	text = render(metrics, GRP_METRICS_CLASSIC, WHOLE);
	assert_has_line(text, "taskgroup_cpu_seconds_total{hierarchy=\"default\",group=\"/g0\"} "
			      "0.000000001");
	assert_has_line(text, "taskgroup_cpu_seconds_total{hierarchy=\"default\",group=\"/g1\"} "
			      "9007199.254740993");
	assert_has_line(text, "taskgroup_cpu_seconds_total{hierarchy=\"default\",group=\"/g2\"} "
			      "18446744073.709551615");
	assert_has_line(text, "taskgroup_subtree_cpu_seconds_total{hierarchy=\"default\","
			      "group=\"/g2\"} 1.000000000");
	grp_metrics_free(metrics);
}

static void test_every_value_has_its_place(void **state)
{
	struct grp_metrics *metrics = make_metrics(1);
	_cleanup_free_ char *text = NULL;

	metrics->groups[0].own = (struct grp_usage){
		.time_ns = 30,
		.user_ns = 10,
		.system_ns = 20,
		.raw_user_ns = 777,
		.raw_system_ns = 777,
		.voluntary = 3,
		.involuntary = 4,
		.migrations = 5,
		.forks = 6,
		.execs = 7,
		.exits = 8,
	};
	metrics->groups[0].tasks = 11;
	metrics->groups[0].processes = 12;
	metrics->agent = (struct grp_metrics_agent){
		.events_lost = 21,
		.audit_corrections = 22,
		.cpu_ns = 23,
		.resident_bytes = 24,
		.virtual_bytes = 25,
		.open_fds = 26,
		.max_fds = 27,
		.start_ns = 1500000000000000028,
	};
	text = render(metrics, GRP_METRICS_CLASSIC, WHOLE);
#define LABELS "hierarchy=\"default\",group=\"/g0\""
	assert_has_line(text,
			"taskgroup_cpu_mode_seconds_total{" LABELS ",mode=\"user\"} 0.000000010");
	assert_has_line(text,
			"taskgroup_cpu_mode_seconds_total{" LABELS ",mode=\"system\"} 0.000000020");
	assert_has_line(text,
			"taskgroup_context_switches_total{" LABELS ",reason=\"voluntary\"} 3");
	assert_has_line(text,
			"taskgroup_context_switches_total{" LABELS ",reason=\"involuntary\"} 4");
	assert_has_line(text, "taskgroup_migrations_total{" LABELS "} 5");
	assert_has_line(text, "taskgroup_forks_total{" LABELS "} 6");
	assert_has_line(text, "taskgroup_execs_total{" LABELS "} 7");
	assert_has_line(text, "taskgroup_exits_total{" LABELS "} 8");
	assert_has_line(text, "taskgroup_tasks{" LABELS "} 11");
	assert_has_line(text, "taskgroup_processes{" LABELS "} 12");
#undef LABELS
	assert_has_line(text, "taskgroup_agent_build_info{version=\"" GRP_VERSION "\"} 1");
	assert_has_line(text, "taskgroup_events_lost_total 21");
	assert_has_line(text, "taskgroup_audit_corrections_total 22");
	assert_has_line(text, "process_cpu_seconds_total 0.000000023");
	assert_has_line(text, "process_resident_memory_bytes 24");
	assert_has_line(text, "process_virtual_memory_bytes 25");
	assert_has_line(text, "process_open_fds 26");
	assert_has_line(text, "process_max_fds 27");
	assert_has_line(text, "process_start_time_seconds 1500000000.000000028");
	assert_null(strstr(text, "777"));
	grp_metrics_free(metrics);
}

static void test_releases(void **state)
{
	struct grp_metrics *metrics = make_metrics(1);
	_cleanup_free_ char *text = NULL;

	metrics->agent.releases_started = 31;
	metrics->agent.releases_failed = 32;
	metrics->agent.releases_pending = 33;
	text = render(metrics, GRP_METRICS_CLASSIC, WHOLE);
	assert_has_line(text, "taskgroup_releases_started_total 31");
	assert_has_line(text, "taskgroup_releases_failed_total 32");
	assert_has_line(text, "taskgroup_releases_pending 33");
	grp_metrics_free(metrics);
}

static void test_placement_and_mounts(void **state)
{
	struct grp_metrics *metrics = make_metrics(1);
	_cleanup_free_ char *text = NULL;

	metrics->agent.place = (struct grp_metrics_placement){
		.active = 1,
		.placed = 41,
		.repairs = 42,
		.fights = 43,
		.refused = 44,
		.mems_placed = 45,
		.mems_refused = 46,
		.mems_pending = 47,
		.migrations = 48,
		.migrations_pending = 49,
		.migrate_pages_left = 50,
	};
	metrics->agent.fs = (struct grp_metrics_mounts){
		.mounts = 51,
		.handles = 52,
		.references = 53,
		.requests = 54,
		.refused = 55,
		.interrupted = 56,
	};
	text = render(metrics, GRP_METRICS_CLASSIC, WHOLE);
	assert_has_line(text, "taskgroup_placement_active 1");
	assert_has_line(text, "taskgroup_placements_total 41");
	assert_has_line(text, "taskgroup_placement_repairs_total 42");
	assert_has_line(text, "taskgroup_placement_fights_total 43");
	assert_has_line(text, "taskgroup_placements_refused_total 44");
	assert_has_line(text, "taskgroup_memory_placements_total 45");
	assert_has_line(text, "taskgroup_memory_placements_refused_total 46");
	assert_has_line(text, "taskgroup_memory_placements_pending 47");
	assert_has_line(text, "taskgroup_page_migrations_total 48");
	assert_has_line(text, "taskgroup_page_migrations_pending 49");
	assert_has_line(text, "taskgroup_pages_left_total 50");
	assert_has_line(text, "taskgroup_fs_mounts 51");
	assert_has_line(text, "taskgroup_fs_handles 52");
	assert_has_line(text, "taskgroup_fs_references 53");
	assert_has_line(text, "taskgroup_fs_requests_total 54");
	assert_has_line(text, "taskgroup_fs_refused_total 55");
	assert_has_line(text, "taskgroup_fs_interrupted_total 56");
	grp_metrics_free(metrics);
}

/* A gauge that nobody knows is left out; a counter of that value is none of those. */
static void test_unknown_is_left_out(void **state)
{
	struct grp_metrics *metrics = make_metrics(1);
	_cleanup_free_ char *text = NULL;

	metrics->agent.max_fds = GRP_METRICS_UNKNOWN;
	metrics->groups[0].own.forks = UINT64_MAX;
	text = render(metrics, GRP_METRICS_CLASSIC, WHOLE);
	assert_null(strstr(text, "\nprocess_max_fds "));
	assert_has_line(text, "taskgroup_forks_total{hierarchy=\"default\",group=\"/g0\"} "
			      "18446744073709551615");
	grp_metrics_free(metrics);
}

static void test_programs_and_maps(void **state)
{
	struct grp_metrics_program *program = calloc(1, sizeof(*program));
	struct grp_metrics *metrics = make_metrics(0);
	struct grp_metrics_map *map = calloc(1, sizeof(*map));
	_cleanup_free_ char *text = NULL;

	assert_non_null(program);
	assert_non_null(map);
	*program = (struct grp_metrics_program){ strdup("on_switch"), 5, 1500000000 };
	*map = (struct grp_metrics_map){ strdup("groups"), 3, 16384 };
	metrics->programs = program;
	metrics->maps = map;
	metrics->n_programs = metrics->n_maps = 1;
	text = render(metrics, GRP_METRICS_CLASSIC, WHOLE);
	assert_has_line(text, "taskgroup_bpf_runs_total{program=\"on_switch\"} 5");
	assert_has_line(text, "taskgroup_bpf_run_seconds_total{program=\"on_switch\"} 1.500000000");
	assert_has_line(text, "taskgroup_map_entries{map=\"groups\"} 3");
	assert_has_line(text, "taskgroup_map_entries_limit{map=\"groups\"} 16384");
	grp_metrics_free(metrics);
}

struct label_case {
	const char *path, *label;
};

/* First the notation of names (\xHH and \\), then that of labels (\\, \" and \n). */
static void test_labels(void **state)
{
	static const struct label_case cases[] = {
		{ "/a\"b", "/a\\\"b" },	 { "/a\\b", "/a\\\\\\\\b" },   { "/a\nb", "/a\\nb" },
		{ "/\xff", "/\\\\xff" }, { "/\xc3\xa4", "/\xc3\xa4" }, { "/\xc3", "/\\\\xc3" },
		{ "/{}=,", "/{}=," },	 { "/\\xff", "/\\\\\\\\xff" },
	};
	const size_t n = sizeof(cases) / sizeof(cases[0]);
	struct grp_metrics *metrics = make_metrics(n);
	_cleanup_free_ char *text = NULL;

	for (size_t i = 0; i < n; i++)
		set_name(&metrics->groups[i], "h", cases[i].path);
	text = render(metrics, GRP_METRICS_CLASSIC, WHOLE);
	for (size_t i = 0; i < n; i++) {
		char line[128];

		(void)snprintf(line, sizeof(line),
			       "taskgroup_tasks{hierarchy=\"h\",group=\"%s\"} 0", cases[i].label);
		assert_has_line(text, line);
	}
	grp_metrics_free(metrics);
}

static void test_hierarchy_is_escaped(void **state)
{
	struct grp_metrics *metrics = make_metrics(1);
	_cleanup_free_ char *text = NULL;

	set_name(&metrics->groups[0], "a\"\\\n\xfe", "/");
	text = render(metrics, GRP_METRICS_CLASSIC, WHOLE);
	assert_has_line(text,
			"taskgroup_tasks{hierarchy=\"a\\\"\\\\\\\\\\n\\\\xfe\",group=\"/\"} 0");
	grp_metrics_free(metrics);
}

static void test_long_path(void **state)
{
	struct grp_metrics *metrics = make_metrics(1);
	_cleanup_free_ char *text = NULL;
	char path[GRP_PATH_MAX];

	memset(path, 0xff, sizeof(path) - 1); /* five bytes each in a label */
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	set_name(&metrics->groups[0], "h", path);
	text = render(metrics, GRP_METRICS_CLASSIC, WHOLE);
	assert_non_null(strstr(text, "\\\\xff\"} 0\n"));
	grp_metrics_free(metrics);
}

static void test_heads(void **state)
{
	struct grp_metrics *metrics = make_metrics(1);
	_cleanup_free_ char *classic = NULL, *open = NULL;

	classic = render(metrics, GRP_METRICS_CLASSIC, WHOLE);
	assert_has_line(classic, "# TYPE taskgroup_cpu_seconds_total counter");
	assert_has_line(classic, "# TYPE taskgroup_tasks gauge");
	assert_has_line(classic, "# TYPE taskgroup_agent_build_info gauge");
	assert_null(strstr(classic, "# UNIT"));
	assert_null(strstr(classic, "# EOF"));

	open = render(metrics, GRP_METRICS_OPENMETRICS, WHOLE);
	assert_has_line(open, "# TYPE taskgroup_cpu_seconds counter");
	assert_has_line(open, "# UNIT taskgroup_cpu_seconds seconds");
	assert_has_line(open, "# TYPE taskgroup_agent_build info");
	assert_has_line(open, "# UNIT process_resident_memory_bytes bytes");
	assert_string_equal(open + strlen(open) - strlen("\n# EOF\n"), "\n# EOF\n");
	/* The samples are the same in both. */
	assert_has_line(open, "taskgroup_cpu_seconds_total{hierarchy=\"default\",group=\"/g0\"} "
			      "0.000000000");
	grp_metrics_free(metrics);
}

/* In OpenMetrics a unit must be the end of the family's name. */
static void test_units_are_suffixes(void **state)
{
	for (size_t i = 0; i < grp_n_families; i++) {
		const char *unit = grp_unit_names[grp_families[i].unit];
		const char *name = grp_families[i].name;

		if (unit && (strlen(name) <= strlen(unit) ||
			     strcmp(name + strlen(name) - strlen(unit), unit)))
			fail_msg("%s does not end in %s", name, unit);
	}
}

/* All samples of a family stand together, after their head. */
static void test_families_are_grouped(void **state)
{
	struct grp_metrics *metrics = make_metrics(5);
	_cleanup_free_ char *text = render(metrics, GRP_METRICS_CLASSIC, WHOLE);
	char family[128] = "";
	unsigned int heads = 0;

	for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
		if (!strncmp(line, "# HELP ", 7)) {
			(void)snprintf(family, sizeof(family), "%.*s", (int)strcspn(line + 7, " "),
				       line + 7);
			heads++;
		} else if (*line && *line != '#') {
			assert_int_equal(strncmp(line, family, strlen(family)), 0);
			assert_non_null(strchr("{ ", line[strlen(family)]));
		}
	}
	assert_int_equal(heads, grp_n_families);
	grp_metrics_free(metrics);
}

/* Also when each row is read in many pieces, or many rows in one; and by two at a time. */
static void test_pieces_change_nothing(void **state)
{
	static const size_t sizes[] = { 1, 7, 4096 };
	struct grp_metrics *metrics = make_metrics(500);
	_cleanup_free_ char *whole = render(metrics, GRP_METRICS_OPENMETRICS, WHOLE);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		_cleanup_free_ char *text = render(metrics, GRP_METRICS_OPENMETRICS, sizes[i]);

		assert_string_equal(text, whole);
	}
	grp_metrics_free(metrics);
}

static void test_two_readers(void **state)
{
	struct grp_metrics *metrics = make_metrics(50);
	_cleanup_free_ char *whole = render(metrics, GRP_METRICS_CLASSIC, WHOLE);
	struct grp_metrics_render readers[2];
	char piece[100];
	size_t at = 0;
	ssize_t n;

	for (size_t i = 0; i < 2; i++)
		grp_metrics_render_init(&readers[i], metrics, GRP_METRICS_CLASSIC);
	do {
		for (size_t i = 0; i < 2; i++) {
			n = grp_metrics_render_read(&readers[i], piece, sizeof(piece));
			assert_true(n >= 0);
			assert_memory_equal(piece, whole + at, (size_t)n);
		}
		at += (size_t)n;
	} while (n > 0);
	assert_int_equal(at, strlen(whole));
	for (size_t i = 0; i < 2; i++)
		grp_metrics_render_done(&readers[i]);
	grp_metrics_free(metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seconds_are_exact),
		cmocka_unit_test(test_every_value_has_its_place),
		cmocka_unit_test(test_releases),
		cmocka_unit_test(test_placement_and_mounts),
		cmocka_unit_test(test_unknown_is_left_out),
		cmocka_unit_test(test_programs_and_maps),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_hierarchy_is_escaped),
		cmocka_unit_test(test_long_path),
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_units_are_suffixes),
		cmocka_unit_test(test_families_are_grouped),
		cmocka_unit_test(test_pieces_change_nothing),
		cmocka_unit_test(test_two_readers),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
