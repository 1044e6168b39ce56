/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random sequences of all operations by several users against the model, everything
 * compared after each step, with births, exits, and SIGKILL of the agent between
 * and during the steps.
 *
 * usage: property AGENT INSTANCE STEPS SEED
 *
 * Prints the seed and a line for each thousand steps; at a difference the last
 * steps and what differs, and exits with 1.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "operation.h"

/* Steps that are shown when something differs. */
#define SHOWN 20
#define LINE 800
/* One in so many steps. */
#define RESTART_EVERY 250
#define KILL_DURING_EVERY 100
#define PROCESS_EVERY 4

static char history[SHOWN][LINE];
static unsigned long steps;

static void remember(const char *line)
{
	(void)snprintf(history[steps++ % SHOWN], LINE, "%s", line);
}

static _Noreturn void give_up(const char *what)
{
	for (unsigned long i = steps > SHOWN ? steps - SHOWN : 0; i < steps; i++)
		fprintf(stderr, "step %lu: %s\n", i, history[i % SHOWN]);
	broken("step %lu: %s", steps - 1, what);
}

/* --- processes ---------------------------------------------------------------------------- */

static int task_of(const struct model *model, pid_t tid)
{
	for (int t = 0; t < M_TASKS; t++)
		if (model->tasks[t].live && model->tasks[t].tid == tid)
			return t;
	return NOWHERE;
}

/* A parent's exit would take its children along: only the youngest ones end. */
static void end_process(struct world *world, struct process *process)
{
	pid_t pid = process->pid;

	process_end(process);
	model_exit(&world->model, pid);
}

static void begin_process(struct world *world, struct process *process)
{
	static const uid_t uids[] = { 0, 1001, 1002 };
	struct process *parent = &world->processes[random_below(PROCESSES)];

	/* Only the first half are parents, and these never end. */
	if (process < world->processes + PROCESSES / 2 || !parent->pid ||
	    parent >= world->processes + PROCESSES / 2) {
		process_start(process, uids[random_below(3)]);
		model_birth(&world->model, NOWHERE, process->pid, process->pid, process->uid);
		return;
	}
	process_fork(parent, process);
	model_birth(&world->model, task_of(&world->model, parent->pid), process->pid, process->pid,
		    process->uid);
}

static void step_process(struct world *world)
{
	struct process *process = &world->processes[random_below(PROCESSES)];
	char line[LINE];
	pid_t tid;

	if (!process->pid) {
		begin_process(world, process);
		(void)snprintf(line, sizeof(line), "process %d of user %u begins",
			       (int)process->pid, (unsigned int)process->uid);
	} else if (process->n_threads < 3 && random_below(2)) {
		tid = process_thread(process);
		model_birth(&world->model, task_of(&world->model, process->pid), tid, process->pid,
			    process->uid);
		(void)snprintf(line, sizeof(line), "thread %d of process %d begins", (int)tid,
			       (int)process->pid);
	} else if (process >= world->processes + PROCESSES / 2) {
		(void)snprintf(line, sizeof(line), "process %d ends", (int)process->pid);
		end_process(world, process);
	} else {
		return;
	}
	remember(line);
}

/* --- operations --------------------------------------------------------------------------- */

static const char *name_of(int number)
{
	return number ? strerrorname_np(number) : "success";
}

static void step_operation(struct world *world)
{
	struct operation op;
	char line[LINE];
	int expected, got;

	operation_choose(world, &op);
	operation_print(&op, line, sizeof(line));
	expected = op.type->predict(&world->model, &op);
	(void)snprintf(line + strlen(line), sizeof(line) - strlen(line), " = %s",
		       name_of(expected));
	remember(line);
	got = agent_call(op.uid, op.type->method, op.type->parameters(&op), NULL);
	if (got == expected)
		return;
	(void)snprintf(line, sizeof(line), "the agent says %s", name_of(got));
	give_up(line);
}

/* Either all of it is done after the restart, or nothing; see operation_cut_off(). */
static void step_killed(struct world *world)
{
	static struct model after;
	struct operation op;
	char line[LINE];

	operation_choose(world, &op);
	operation_print(&op, line, sizeof(line));
	(void)snprintf(line + strlen(line), sizeof(line) - strlen(line), ", killed meanwhile");
	remember(line);
	agent_call_and_kill(op.uid, op.type->method, op.type->parameters(&op));
	for (unsigned int n = 0; operation_cut_off(&op, &world->model, n, &after); n++) {
		if (!same(&after, false))
			continue;
		world->model = after;
		return;
	}
}

static void step(struct world *world, const char *agent, const char *instance)
{
	if (!random_below(RESTART_EVERY)) {
		remember("SIGKILL and restart");
		agent_kill();
		agent_start(agent, instance);
	} else if (!random_below(KILL_DURING_EVERY)) {
		step_killed(world);
	} else if (!random_below(PROCESS_EVERY)) {
		step_process(world);
	} else {
		step_operation(world);
	}
	model_release(&world->model);
	if (!same(&world->model, true))
		give_up("agent and model differ");
}

/* --- begin -------------------------------------------------------------------------------- */

static void ask_subsystems(struct model *model)
{
	json_t *reply = NULL, *object;
	size_t i;

	if (agent_call(0, "ListSubsystems", NULL, &reply))
		broken("no list of subsystems");
	json_array_foreach(json_object_get(reply, "subsystems"), i, object) {
		(void)snprintf(model->subsystems[i], sizeof(model->subsystems[i]), "%s",
			       json_string_value(json_object_get(object, "name")));
		if (json_is_true(json_object_get(object, "shareable")))
			model->shareable |= 1U << i;
		model->n_subsystems++;
	}
	json_decref(reply);
}

static unsigned long parse(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (!*text || *end)
		broken("%s is not a number", text);
	return value;
}

int main(int argc, char **argv)
{
	static struct world world;
	unsigned long wanted;

	if (argc != 5)
		broken("usage: property AGENT INSTANCE STEPS SEED");
	wanted = parse(argv[3]);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	printf("seed %s\n", argv[4]);
	random_seed(parse(argv[4]));
	agent_start(argv[1], argv[2]);
	ask_subsystems(&world.model);
	model_init(&world.model);
	while (steps < wanted) {
		step(&world, argv[1], argv[2]);
		if (steps % 1000 == 0)
			printf("%lu steps\n", steps);
	}
	agent_kill();
	printf("%lu steps, no difference\n", steps);
	return 0;
}
