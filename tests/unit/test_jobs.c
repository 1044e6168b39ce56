/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls that are answered later: kill, wait, rmdir --kill. Processes to be killed
 * are real ones that the kernel in memory knows as well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup_json.h"
#include "front/connection.h"
#include "method_help.h"

/* --- jobs ------------------------------------------------------------------------ */

static pid_t start_child(struct fake_kernel *kernel)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)signal(SIGTERM, SIG_DFL);
		for (;;)
			(void)pause();
	}
	assert_true(pid > 0);
	fake_task_fork(kernel, 0, (uint32_t)pid, (uint32_t)pid);
	return pid;
}

/* Waits for a real child's end and tells the fake kernel. Return: its signal. */
static int end_child(struct fake_kernel *kernel, pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	fake_task_exit(kernel, (uint32_t)pid);
	fake_task_reap(kernel, (uint32_t)pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void attach_pid(struct method_fixture *f, pid_t pid)
{
	char parameters[100];

	(void)snprintf(parameters, sizeof(parameters), "{\"groups\":[\"/a\"],\"pids\":[\"%d\"]}",
		       (int)pid);
	method_all(f, "Attach", parameters);
}

static void test_kill(void **state)
{
	struct method_fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;
	_cleanup_json_ json_t *signalled = NULL, *answer = NULL;
	pid_t one, two;

	method_be_root(f);
	method_all(f, "MakeGroups", "{\"groups\":[\"/a\"]}");
	one = start_child(kernel);
	two = start_child(kernel);
	attach_pid(f, one);
	/* Once and at once; the child outside is not meant. */
	signalled = method_get(f, "Kill", "{\"group\":\"/a\",\"signal\":15}", "signalled");
	assert_int_equal(json_integer_value(signalled), 1);
	assert_int_equal(end_child(kernel, one), SIGTERM);
	assert_int_equal(kill(two, 0), 0);
	/* SIGKILL is answered when nobody is left. */
	attach_pid(f, two);
	fake_client_send_text(&f->client, "{\"method\":\"org.grpagent.Kill\",\"parameters\":"
					  "{\"group\":\"/\",\"recursive\":true,\"signal\":9}}");
	fake_agent_idle(f->fake);
	assert_int_equal(f->fake->agent.server->n_waiting, 1);
	assert_int_equal(end_child(kernel, two), SIGKILL);
	fake_agent_events(f->fake);
	answer = fake_parameters(fake_client_receive(&f->client));
	assert_int_equal(method_number(answer, "signalled"), 1);
	assert_int_equal(f->fake->agent.server->n_waiting, 0);
}

/* kill(2) would refuse: so do we, and the processes of others live on. */
static void test_kill_denied(void **state)
{
	struct method_fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;
	pid_t pid = start_child(kernel);
	struct fake_task *task = fake_task_find(kernel, (uint32_t)pid);

	method_be_root(f);
	task->uid = task->suid = 1;
	f->fake->agent.server->connections->caller.uid = 4711;
	assert_true(
		fake_is_failed(method_call(f, "Kill", "{\"group\":\"/\",\"signal\":9}"), "EPERM"));
	assert_int_equal(kill(pid, 0), 0);
	task->suid = 4711;
	json_decref(fake_parameters(method_call(f, "Kill", "{\"group\":\"/\",\"signal\":15}")));
	assert_int_equal(end_child(kernel, pid), SIGTERM);
}

/* An id that is another process by now: nobody is hit. */
static void change_start(struct fake_kernel *fake, enum grp_pass kind, void *data)
{
	struct fake_task *task = fake_task_find(fake, *(const uint32_t *)data);

	if (task)
		task->start_ns++;
}

static void test_kill_reused(void **state)
{
	struct method_fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;
	_cleanup_json_ json_t *signalled = NULL;
	pid_t pid = start_child(kernel);
	uint32_t tid = (uint32_t)pid;

	method_be_root(f);
	kernel->before_pass = change_start;
	kernel->before_pass_data = &tid;
	signalled = method_get(f, "Kill", "{\"group\":\"/\",\"signal\":15}", "signalled");
	assert_int_equal(json_integer_value(signalled), 0);
	kernel->before_pass = NULL;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(end_child(kernel, pid), SIGKILL);
}

static void test_remove_kill(void **state)
{
	struct method_fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;
	_cleanup_json_ json_t *answer = NULL;
	pid_t pid = start_child(kernel);

	method_be_root(f);
	method_all(f, "MakeGroups", "{\"groups\":[\"/a\",\"/a/b\"]}");
	attach_pid(f, pid);
	method_one_fails(f, "RemoveGroups", "{\"groups\":[\"/a/b\",\"/a\"]}", "/a", "EBUSY");
	method_all(f, "MakeGroups", "{\"groups\":[\"/a/b\"]}");
	fake_client_send_text(&f->client,
			      "{\"method\":\"org.grpagent.RemoveGroups\",\"parameters\":"
			      "{\"groups\":[\"/a\"],\"recursive\":true,\"kill\":true}}");
	fake_agent_idle(f->fake);
	assert_int_equal(end_child(kernel, pid), SIGKILL);
	fake_agent_events(f->fake);
	answer = fake_parameters(fake_client_receive(&f->client));
	assert_int_equal(json_array_size(json_object_get(answer, "failures")), 0);
	method_assert_groups(f, "{\"recursive\":true}", "/ ");
}

static void test_wait(void **state)
{
	struct method_fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;
	_cleanup_json_ json_t *answer = NULL;
	struct fake_client other;

	method_be_root(f);
	method_all(f, "MakeGroups", "{\"groups\":[\"/a\",\"/a/b\"]}");
	/* Nobody is there: at once. */
	json_decref(
		fake_parameters(method_call(f, "Wait", "{\"group\":\"/a\",\"recursive\":true}")));
	fake_task_fork(kernel, 0, 10, 10);
	method_all(f, "Attach", "{\"groups\":[\"/a/b\"],\"pids\":[\"10\"]}");
	json_decref(fake_parameters(method_call(f, "Wait", "{\"group\":\"/a\"}")));
	fake_client_open(f->fake, &other);
	fake_client_send_text(&other, "{\"method\":\"org.grpagent.Wait\",\"parameters\":"
				      "{\"group\":\"/a\",\"recursive\":true}}");
	fake_agent_idle(f->fake);
	fake_task_run(kernel, 10, 0, 4000);
	fake_task_exit(kernel, 10);
	fake_agent_events(f->fake);
	/* Its last slice comes after it has left. */
	fake_task_run(kernel, 10, 0, 77);
	fake_task_reap(kernel, 10);
	answer = fake_parameters(fake_client_receive(&other));
	assert_int_equal(method_number(json_object_get(answer, "usage"), "usage_ns"), 4077);
	fake_client_close(&other);
}

/* Whoever removes the group has told the waiter before. */
static void test_wait_and_remove(void **state)
{
	struct method_fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;
	_cleanup_json_ json_t *answer = NULL;
	struct fake_client other;

	method_be_root(f);
	method_all(f, "MakeGroups", "{\"groups\":[\"/a\"]}");
	fake_task_fork(kernel, 0, 10, 10);
	method_all(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[\"10\"]}");
	fake_client_open(f->fake, &other);
	fake_client_send_text(&other, "{\"method\":\"org.grpagent.Wait\",\"parameters\":"
				      "{\"group\":\"/a\"}}");
	fake_agent_idle(f->fake);
	fake_task_exit(kernel, 10);
	fake_task_reap(kernel, 10);
	/* No event was seen. */
	method_all(f, "RemoveGroups", "{\"groups\":[\"/a\"]}");
	answer = fake_parameters(fake_client_receive(&other));
	assert_string_equal(method_text(json_object_get(answer, "usage"), "group"), "/a");
	fake_client_close(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		METHOD_TEST(test_kill),	       METHOD_TEST(test_kill_denied),
		METHOD_TEST(test_kill_reused), METHOD_TEST(test_remove_kill),
		METHOD_TEST(test_wait),	       METHOD_TEST(test_wait_and_remove),
	};

	return cmocka_run_group_tests_name("jobs", tests, NULL, NULL);
}
