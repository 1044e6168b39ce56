/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The answers to scrapes: text that is made as it is sent, so that there is never more of it
 * than a piece. Those that were asked for before a snapshot was begun share it.
 */
#ifndef GRP_FRONT_HTTP_STREAM_H
#define GRP_FRONT_HTTP_STREAM_H

#include "front/metrics.h"

struct MHD_Response;
struct grp_http_snapshot;

/* Of one server; all zero: none. It outlives all of its snapshots and answers. */
struct grp_http_streams {
	unsigned int n; /* being sent: they share what a turn of the loop may take */
	struct grp_http_snapshot *unused; /* to be freed */
};

/**
 * grp_http_snapshot_new() - @metrics: taken over, also without success.
 * Return: with one reference, the caller's; NULL: no memory.
 */
struct grp_http_snapshot *grp_http_snapshot_new(struct grp_http_streams *streams,
						struct grp_metrics *metrics);

/* grp_http_snapshot_unref() - after the last one it is unused; NULL is fine. */
void grp_http_snapshot_unref(struct grp_http_snapshot *snapshot);

/*
 * grp_http_streams_sweep() - frees some of what is unused, in well below a millisecond; true:
 * call again.
 */
bool grp_http_streams_sweep(struct grp_http_streams *streams);

/**
 * grp_http_stream() - an answer to one request, with a reference of its own.
 * Return: owned by the caller; NULL: no memory.
 */
struct MHD_Response *grp_http_stream(struct grp_http_snapshot *snapshot,
				     enum grp_metrics_format format);

/* grp_http_stream_head() - what such an answer has before the text. Return: as above. */
struct MHD_Response *grp_http_stream_head(enum grp_metrics_format format);

#endif
