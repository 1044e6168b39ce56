/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One random step: what it asks of the model and of the agent.
 */
#ifndef GRP_TESTS_PROPERTY_OPERATION_H
#define GRP_TESTS_PROPERTY_OPERATION_H

#include <jansson.h>

#include "model.h"
#include "system.h"

#define PROCESSES 12

struct world {
	struct model model;
	struct process processes[PROCESSES];
};

struct operation {
	const struct operation_type *type;
	uid_t uid;
	char spec[600], other[600]; /* groups, or a name and options */
	bool has_other, whole;
	uid_t owner;
	unsigned int mode, flag;
	pid_t pid;
};

struct operation_type {
	const char *name;
	unsigned int weight; /* how often, against the others */
	/* Fills in what the type needs, at random. */
	void (*choose)(const struct world *world, struct operation *op);
	int (*predict)(struct model *model, const struct operation *op);
	const char *method;
	json_t *(*parameters)(const struct operation *op);
	bool enters; /* spec, and other if it has one, are being entered */
};

/* A random step for the world as it is. */
void operation_choose(const struct world *world, struct operation *op);
/* For people, in one line. */
void operation_print(const struct operation *op, char *buf, size_t size);

/* random_below() - of the seeded sequence; the same on every machine. */
unsigned int random_below(unsigned int n);
void random_seed(uint64_t seed);

/* How it may have ended when it was cut off, @n = 0, 1, 2: false, there are no more. */
bool operation_cut_off(const struct operation *op, const struct model *before, unsigned int n,
		       struct model *ret_after);

/*
 * Compares everything that can be seen, until it is the same or a time has passed:
 * exits and releases take theirs. Says what differs on stderr, if @say.
 */
bool same(const struct model *model, bool say);

#endif
