/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the server of /metrics answers with besides metrics: responses of libmicrohttpd, each
 * of which ends its connection. Who asks for what is in http.c.
 */
#ifndef GRP_FRONT_HTTP_PAGE_H
#define GRP_FRONT_HTTP_PAGE_H

#define GRP_HTTP_METRICS_PATH "/metrics"

struct MHD_Response;

/* Short ones, instead of metrics. */
enum grp_http_page {
	GRP_HTTP_NOT_FOUND,
	GRP_HTTP_BAD_METHOD,
	GRP_HTTP_BUSY,
	GRP_HTTP_ENDING,
	GRP_HTTP_FAILED,
};

/**
 * grp_http_page() - @ret_status: of HTTP.
 * Return: owned by the caller; NULL: no memory.
 */
struct MHD_Response *grp_http_page(enum grp_http_page page, unsigned int *ret_status);

/**
 * grp_http_page_finish() - what every response has. @response: NULL is fine; destroyed if it
 * cannot be finished.
 * Return: @response; NULL: no memory.
 */
struct MHD_Response *grp_http_page_finish(struct MHD_Response *response, const char *content_type);

#endif
