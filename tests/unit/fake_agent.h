/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An agent without a kernel: the real core over the kernel in memory, the real
 * socket in a directory of its own, and clients that share the test's thread.
 */
#ifndef GRP_TEST_FAKE_AGENT_H
#define GRP_TEST_FAKE_AGENT_H

#include <jansson.h>
#include <stdint.h>

#include "agent.h"
#include "fake_kernel.h"
#include "front/wire.h"

/* Events that the agent keeps for those who are behind. */
#define FAKE_WATCH_BACKLOG 8

struct fake_agent {
	struct grp_agent agent;
	struct fake_kernel *kernel;
	char dir[64];
};

/* The uid of the clients is that of the test; its limits are those given here. */
struct fake_agent *fake_agent_new(unsigned int connections, unsigned int streams);
void fake_agent_free(struct fake_agent *fake);

/* Rounds of the loop until nothing more happens at once. */
void fake_agent_idle(struct fake_agent *fake);
/* What the kernel's ring buffer would tell. */
void fake_agent_events(struct fake_agent *fake);

struct fake_client {
	struct fake_agent *fake;
	int fd;
	struct grp_wire_reader reader;
};

void fake_client_open(struct fake_agent *fake, struct fake_client *client);
void fake_client_close(struct fake_client *client);
/* Every byte, while the agent runs. */
void fake_client_send(struct fake_client *client, const void *bytes, size_t len);
/* One message of NUL-terminated text. */
void fake_client_send_text(struct fake_client *client, const char *text);
/* The next message, new reference; NULL: the agent hung up. Fails after 10 s. */
json_t *fake_client_receive(struct fake_client *client);
/* A call of org.grpagent and its answer; @parameters is taken over, may be NULL. */
json_t *fake_client_call(struct fake_client *client, const char *method, json_t *parameters);

/* Whether an answer is org.grpagent.Failed with this errno; drops the answer. */
bool fake_is_failed(json_t *answer, const char *name);
/* Whether an answer is this error of the protocol; drops the answer. */
bool fake_is_error(json_t *answer, const char *error);
/* Parameters of a success, new reference; fails the test on an error. */
json_t *fake_parameters(json_t *answer);

#endif
