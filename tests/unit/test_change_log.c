/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of changes: who, what, how it ended; of a request without end, and of one
 * whose client did not wait for the answer, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/log.h"
#include "front/connection.h"
#include "front/server.h"
#include "method_help.h"

#define LOG_SIZE (1024L * 1024)

/* stderr is a file while a test runs. */
static FILE *log_file;
static int saved_stderr;

static int setup(void **state)
{
	int r = method_setup(state);

	log_file = tmpfile();
	assert_non_null(log_file);
	saved_stderr = dup(STDERR_FILENO);
	assert_true(dup2(fileno(log_file), STDERR_FILENO) >= 0);
	grp_log_set_level(LOG_INFO);
	return r;
}

static int teardown(void **state)
{
	grp_log_set_level(LOG_EMERG);
	assert_true(dup2(saved_stderr, STDERR_FILENO) >= 0);
	(void)close(saved_stderr);
	(void)fclose(log_file);
	return method_teardown(state);
}

/* All that was logged; owned by the caller. */
static char *logged(void)
{
	char *text = calloc(1, LOG_SIZE + 1);

	assert_non_null(text);
	rewind(log_file);
	assert_true(fread(text, 1, LOG_SIZE, log_file) < LOG_SIZE);
	return text;
}

static void assert_logged(const char *expected)
{
	_cleanup_free_ char *text = logged();

	if (!strstr(text, expected))
		fail_msg("not in the log: %s\n%s", expected, text);
}

static void be(struct method_fixture *f, uid_t uid)
{
	method_be_root(f);
	f->fake->agent.server->connections->caller.uid = uid;
	f->fake->agent.server->connections->caller.pid = 4711;
}

static void test_ends(void **state)
{
	struct method_fixture *f = *state;

	be(f, 0);
	method_all(f, "MakeGroups", "{\"groups\":[\"/a\"]}");
	assert_logged("MakeGroups {\"groups\":[\"/a\"]} by uid 0, pid 4711: done\n");
	method_one_fails(f, "MakeGroups", "{\"groups\":[\"/a\",\"/b\"]}", "/a", "EEXIST");
	assert_logged(
		"MakeGroups {\"groups\":[\"/a\",\"/b\"]} by uid 0, pid 4711: done, but for 1\n"
		"MakeGroups /a by uid 0, pid 4711: EEXIST\n");
	be(f, 7);
	json_decref(method_call(f, "Mount", "{\"name\":\"x\"}"));
	assert_logged("Mount {\"name\":\"x\"} by uid 7, pid 4711: EPERM: Mount needs root\n");
	json_decref(method_call(f, "WriteFile",
				"{\"group\":\"/a\",\"file\":\"tasks\",\"value\":\"1\\n2\"}"));
	assert_logged(
		"WriteFile {\"group\":\"/a\",\"file\":\"tasks\",\"value\":\"1\\n2\"} by uid 7, pid "
		"4711: EACCES: uid 7 needs ");
}

/* Every letter of it is there, in lines that say whose they are. */
static void test_long(void **state)
{
	struct method_fixture *f = *state;
	_cleanup_json_ json_t *names = json_array();
	_cleanup_free_ char *text = NULL;
	char name[64];
	size_t lines = 0;

	be(f, 0);
	for (unsigned int i = 0; i < 800; i++) {
		(void)snprintf(name, sizeof(name),
			       "/gr\xc3\xbc\xc3\xbc\xc3\xbc"
			       "ppe-%u-end",
			       i);
		json_array_append_new(names, json_string(name));
	}
	json_decref(fake_parameters(
		fake_client_call(&f->client, "MakeGroups", json_pack("{s:O}", "groups", names))));
	text = logged();
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++) {
		assert_true(strlen(line) < 8000);
		assert_non_null(strstr(line, "by uid 0, pid 4711: "));
		assert_memory_equal(line, "MakeGroups ", 11);
		/* No letter is cut in two. */
		assert_true(((unsigned char)line[11] & 0xc0) != 0x80);
	}
	assert_true(lines > 2);
	assert_logged("-799-end\"]} by uid 0, pid 4711: done\n");
}

/* Clients that have enough of it: of a kill that goes on, and of a wait, which changes nothing. */
static void test_abandoned(void **state)
{
	static const char *const calls[] = {
		"{\"method\":\"org.grpagent.Kill\",\"parameters\":{\"group\":\"/a\",\"signal\":9}}",
		"{\"method\":\"org.grpagent.Wait\",\"parameters\":{\"group\":\"/a\"}}",
	};
	struct method_fixture *f = *state;
	_cleanup_free_ char *text = NULL;
	char parameters[100];
	struct fake_client other;
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			(void)pause();
	assert_true(pid > 0);
	/* The kernel in memory does not see it die. */
	fake_task_fork(f->fake->kernel, 0, (uint32_t)pid, (uint32_t)pid);
	fake_task_find(f->fake->kernel, (uint32_t)pid)->uid = geteuid();
	be(f, 0);
	method_all(f, "MakeGroups", "{\"groups\":[\"/a\"]}");
	(void)snprintf(parameters, sizeof(parameters), "{\"groups\":[\"/a\"],\"pids\":[\"%d\"]}",
		       (int)pid);
	method_all(f, "Attach", parameters);
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		fake_client_open(f->fake, &other);
		fake_client_send_text(&other, calls[i]);
		fake_agent_idle(f->fake);
		fake_client_close(&other);
		fake_agent_idle(f->fake);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)snprintf(parameters, sizeof(parameters),
		       "Kill {\"group\":\"/a\",\"signal\":9} by uid %u, pid %d: given up half-way",
		       (unsigned int)geteuid(), (int)getpid());
	assert_logged(parameters);
	text = logged();
	assert_null(strstr(text, "Wait "));
}

int main(void)
{
#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_ends),
		TEST(test_long),
		TEST(test_abandoned),
	};

	return cmocka_run_group_tests_name("change_log", tests, NULL, NULL);
}
