/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /metrics over HTTP: libmicrohttpd driven by the loop, without threads. One
 * snapshot at a time is taken, in slices; who asks meanwhile shares the next.
 * What is shown is not known here: see metrics.h.
 */
#ifndef GRP_FRONT_HTTP_H
#define GRP_FRONT_HTTP_H

#include <stdint.h>

#include "base/error.h"
#include "front/metrics.h"

struct sd_event;
struct grp_http;

struct grp_http_options {
	struct sd_event *event; /* borrowed */
	const char *address; /* "ADDR:PORT", as grp_address_parse() has it */
	/*
	 * Takes some more of a snapshot, in well below a millisecond. 0: it is whole, and
	 * the caller's; 1: to be called again, with nothing in between; GRP_METRICS_LONG: after
	 * others had a turn, as more than that comes next; -errno: no more of it.
	 */
	int (*take)(void *data, struct grp_metrics **ret_metrics);
	void *data;
	unsigned int lifetime_ms; /* longest life of a connection; 0: 30 s */
};

/**
 * grp_http_new() - listens.
 * @error: the reason, with the address.
 * @ret_http: owned by the caller, grp_http_free().
 * Return: 0; -EADDRINUSE, -EADDRNOTAVAIL, -EINVAL (address), -errno.
 * Context: loop.
 */
int grp_http_new(const struct grp_http_options *options, struct grp_error *error,
		 struct grp_http **ret_http);

/* grp_http_free() - answers who waits with 503 and closes; NULL is fine. */
void grp_http_free(struct grp_http *http);

/* grp_http_port() - the real port, also when 0 was asked for; 0: @http is NULL. */
uint16_t grp_http_port(const struct grp_http *http);

/* grp_http_address() - "ADDR:PORT" with the real port; borrowed, lives with @http. */
const char *grp_http_address(const struct grp_http *http);

#endif
