/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See http_stream.h.
 */
#include "front/http_stream.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <utlist.h>

#include "front/http_page.h"

/* Of all answers in one turn: well below a millisecond. */
#define TURN_BYTES (64 * 1024)
/* Groups: to free all of them at once would take long. */
#define SWEEP_GROUPS 1024

struct grp_http_snapshot {
	struct grp_http_snapshot *next; /* unused one */
	struct grp_http_streams *streams;
	struct grp_metrics *metrics;
	unsigned int references;
};

struct stream {
	struct grp_http_snapshot *snapshot; /* a reference */
	struct grp_metrics_render render;
};

struct grp_http_snapshot *grp_http_snapshot_new(struct grp_http_streams *streams,
						struct grp_metrics *metrics)
{
	struct grp_http_snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (!snapshot) {
		grp_metrics_free(metrics);
		return NULL;
	}
	*snapshot = (struct grp_http_snapshot){ .streams = streams,
						.metrics = metrics,
						.references = 1 };
	return snapshot;
}

void grp_http_snapshot_unref(struct grp_http_snapshot *snapshot)
{
	if (snapshot && !--snapshot->references)
		LL_PREPEND(snapshot->streams->unused, snapshot);
}

bool grp_http_streams_sweep(struct grp_http_streams *streams)
{
	struct grp_http_snapshot *snapshot = streams->unused;

	if (!snapshot)
		return false;
	if (grp_metrics_free_some(snapshot->metrics, SWEEP_GROUPS)) {
		LL_DELETE(streams->unused, snapshot);
		free(snapshot);
	}
	return streams->unused;
}

static ssize_t on_read(void *data, uint64_t at, char *bytes, size_t size)
{
	struct stream *stream = data;
	size_t share = TURN_BYTES / stream->snapshot->streams->n;
	ssize_t n;

	n = grp_metrics_render_read(&stream->render, bytes, size < share ? size : share);
	if (n < 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	return n ? n : MHD_CONTENT_READER_END_OF_STREAM;
}

static void stream_free(void *data)
{
	struct stream *stream = data;

	stream->snapshot->streams->n--;
	grp_metrics_render_done(&stream->render);
	grp_http_snapshot_unref(stream->snapshot);
	free(stream);
}

struct MHD_Response *grp_http_stream(struct grp_http_snapshot *snapshot,
				     enum grp_metrics_format format)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	struct MHD_Response *response;

	if (!stream)
		return NULL;
	*stream = (struct stream){ .snapshot = snapshot };
	snapshot->references++;
	snapshot->streams->n++;
	grp_metrics_render_init(&stream->render, snapshot->metrics, format);
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, TURN_BYTES, on_read, stream,
						     stream_free);
	if (!response) {
		stream_free(stream);
		return NULL;
	}
	return grp_http_page_finish(response, grp_metrics_content_type(format));
}

static ssize_t on_read_nothing(void *data, uint64_t at, char *bytes, size_t size)
{
	return MHD_CONTENT_READER_END_OF_STREAM;
}

struct MHD_Response *grp_http_stream_head(enum grp_metrics_format format)
{
	struct MHD_Response *response =
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1, on_read_nothing, NULL, NULL);

	/* The library would send the end of the chunks after the head. */
	if (response)
		(void)MHD_set_response_options(response, MHD_RF_HTTP_VERSION_1_0_ONLY, MHD_RO_END);
	return grp_http_page_finish(response, grp_metrics_content_type(format));
}
