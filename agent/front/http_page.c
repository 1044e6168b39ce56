/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Responses, see http_page.h.
 */
#include "front/http_page.h"

#include <microhttpd.h>
#include <string.h>

static const struct {
	unsigned int status;
	const char *header, *value; /* NULL: none */
	const char *text;
} pages[] = {
	[GRP_HTTP_NOT_FOUND] = { MHD_HTTP_NOT_FOUND, NULL, NULL,
				 "not found: there is only " GRP_HTTP_METRICS_PATH "\n" },
	[GRP_HTTP_BAD_METHOD] = { MHD_HTTP_METHOD_NOT_ALLOWED, MHD_HTTP_HEADER_ALLOW, "GET, HEAD",
				  "only GET and HEAD\n" },
	[GRP_HTTP_BUSY] = { MHD_HTTP_SERVICE_UNAVAILABLE, MHD_HTTP_HEADER_RETRY_AFTER, "1",
			    "too many scrapes at a time\n" },
	[GRP_HTTP_ENDING] = { MHD_HTTP_SERVICE_UNAVAILABLE, NULL, NULL, "the agent ends\n" },
	[GRP_HTTP_FAILED] = { MHD_HTTP_INTERNAL_SERVER_ERROR, NULL, NULL,
			      "no snapshot could be taken\n" },
};

struct MHD_Response *grp_http_page_finish(struct MHD_Response *response, const char *content_type)
{
	if (!response)
		return NULL;
	if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type) &&
	    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close"))
		return response;
	MHD_destroy_response(response);
	return NULL;
}

struct MHD_Response *grp_http_page(enum grp_http_page page, unsigned int *ret_status)
{
	struct MHD_Response *response;
	union {
		const char *constant;
		char *text; /* libmicrohttpd does not write to it */
	} body = { .constant = pages[page].text };

	response = MHD_create_response_from_buffer(strlen(body.text), body.text,
						   MHD_RESPMEM_PERSISTENT);
	response = grp_http_page_finish(response, "text/plain; charset=utf-8");
	if (response && pages[page].header)
		(void)MHD_add_response_header(response, pages[page].header, pages[page].value);
	*ret_status = pages[page].status;
	return response;
}
