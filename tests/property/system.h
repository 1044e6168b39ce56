/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The other side of the comparison: a real agent with clients of several users,
 * and real processes whose births and exits the driver commands.
 */
#ifndef GRP_TESTS_PROPERTY_SYSTEM_H
#define GRP_TESTS_PROPERTY_SYSTEM_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

/* Ends the program: the test cannot go on. What the agent said is in its log. */
_Noreturn void broken(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- the agent (system.c) --------------------------------------------------------- */

/* Starts it and waits until it answers. */
void agent_start(const char *program, const char *instance);
void agent_kill(void);

/*
 * A call as a user. Returns 0 or the positive errno of its failure, of the request
 * or of its one item. parameters are taken over.
 */
int agent_call(uid_t uid, const char *method, json_t *parameters, json_t **ret_reply);
/* Sends a call, kills the agent, whatever it has done by then, and starts it again. */
void agent_call_and_kill(uid_t uid, const char *method, json_t *parameters);

/* --- processes (processes.c) -------------------------------------------------------- */

struct process {
	pid_t pid; /* 0: none */
	uid_t uid;
	int fd; /* its commands */
	int n_threads; /* besides the first */
};

/* Of the driver. */
void process_start(struct process *ret_process, uid_t uid);
/* Of another process. */
void process_fork(struct process *parent, struct process *ret_process);
/* Return: its thread id. */
pid_t process_thread(struct process *process);
/* Until it is no member of anything any more. */
void process_end(struct process *process);

#endif
