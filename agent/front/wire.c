/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Varlink wire form, see wire.h. Shared with grpctl: no libsystemd here.
 */
#include "front/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"

/* What one connection may bring in before others are looked at. */
#define FILL_BYTES (64UL * 1024)

/* --- framing ----------------------------------------------------------------- */

void grp_wire_reader_init(struct grp_wire_reader *reader, size_t max)
{
	*reader = (struct grp_wire_reader){ .max = max };
}

void grp_wire_reader_done(struct grp_wire_reader *reader)
{
	free(reader->bytes);
	grp_wire_reader_init(reader, reader->max);
}

/* Makes room for @len bytes behind the end. */
static int reader_reserve(struct grp_wire_reader *reader, size_t len)
{
	size_t used = reader->end - reader->start, size;
	char *bytes;

	if (reader->allocated - reader->end >= len)
		return 0;
	if (reader->start) {
		memmove(reader->bytes, reader->bytes + reader->start, used);
		reader->scanned -= reader->start;
		reader->start = 0;
		reader->end = used;
	}
	if (reader->allocated - reader->end >= len)
		return 0;
	size = 2 * used > used + len ? 2 * used : used + len;
	bytes = realloc(reader->bytes, size);
	if (!bytes)
		return -ENOMEM;
	reader->bytes = bytes;
	reader->allocated = size;
	return 0;
}

int grp_wire_reader_put(struct grp_wire_reader *reader, const char *bytes, size_t len)
{
	int r;

	if (!len)
		return 0;
	r = reader_reserve(reader, len);
	if (r < 0)
		return r;
	memcpy(reader->bytes + reader->end, bytes, len);
	reader->end += len;
	return 0;
}

ssize_t grp_wire_reader_fill(struct grp_wire_reader *reader, int fd)
{
	ssize_t n;
	int r;

	r = reader_reserve(reader, FILL_BYTES);
	if (r < 0)
		return r;
	do {
		n = recv(fd, reader->bytes + reader->end, FILL_BYTES, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	reader->end += (size_t)n;
	return n;
}

/* The first is kept, should there be several. */
static void take_passed(const struct msghdr *message, int *passed)
{
	const struct cmsghdr *head = CMSG_FIRSTHDR(message);
	int fd;

	if (!head || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS ||
	    head->cmsg_len < CMSG_LEN(sizeof(fd)))
		return;
	memcpy(&fd, CMSG_DATA(head), sizeof(fd));
	if (*passed >= 0)
		(void)close(*passed);
	*passed = fd;
}

ssize_t grp_wire_reader_fill_fd(struct grp_wire_reader *reader, int fd, int *passed)
{
	/* Room for one: the kernel takes back what does not fit. */
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec part;
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = CMSG_LEN(sizeof(int)) };
	ssize_t n;
	int r;

	r = reader_reserve(reader, FILL_BYTES);
	if (r < 0)
		return r;
	part = (struct iovec){ .iov_base = reader->bytes + reader->end, .iov_len = FILL_BYTES };
	do {
		n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	take_passed(&message, passed);
	reader->end += (size_t)n;
	return n;
}

bool grp_wire_reader_has_more(const struct grp_wire_reader *reader)
{
	return reader->start != reader->end;
}

static int parse_object(const char *bytes, size_t len, json_t **ret_object)
{
	_cleanup_json_ json_t *object = NULL;
	json_error_t error;

	object = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
	if (!json_is_object(object))
		return -EBADMSG;
	*ret_object = TAKE_PTR(object);
	return 0;
}

/* An idle connection shall not hold the room that one large call took. */
static void reader_shrink(struct grp_wire_reader *reader)
{
	if (reader->start != reader->end)
		return;
	reader->start = reader->end = reader->scanned = 0;
	if (reader->allocated > 2 * FILL_BYTES) {
		free(reader->bytes);
		reader->bytes = NULL;
		reader->allocated = 0;
	}
}

int grp_wire_reader_next(struct grp_wire_reader *reader, json_t **ret_message)
{
	const char *end = NULL;
	size_t len;
	int r;

	if (reader->scanned < reader->end)
		end = memchr(reader->bytes + reader->scanned, '\0', reader->end - reader->scanned);
	if (!end) {
		reader->scanned = reader->end;
		return reader->end - reader->start >= reader->max ? -EMSGSIZE : 0;
	}
	len = (size_t)(end - reader->bytes) - reader->start;
	if (len >= reader->max)
		return -EMSGSIZE;
	r = parse_object(reader->bytes + reader->start, len, ret_message);
	reader->start += len + 1;
	reader->scanned = reader->start;
	reader_shrink(reader);
	return r < 0 ? r : 1;
}

int grp_wire_encode(const json_t *message, char **ret_bytes, size_t *ret_len)
{
	char *bytes = json_dumps(message, JSON_COMPACT);

	if (!bytes)
		return -ENOMEM;
	*ret_len = strlen(bytes) + 1;
	*ret_bytes = bytes;
	return 0;
}

/* --- shapes ------------------------------------------------------------------ */

/* An absent flag is false. */
static int get_flag(const json_t *message, const char *key, bool *ret_flag)
{
	const json_t *value = json_object_get(message, key);

	if (value && !json_is_boolean(value) && !json_is_null(value))
		return -EBADMSG;
	*ret_flag = json_is_true(value);
	return 0;
}

static int get_parameters(const json_t *message, json_t **ret_parameters)
{
	json_t *value = json_object_get(message, "parameters");

	if (value && !json_is_object(value) && !json_is_null(value))
		return -EBADMSG;
	*ret_parameters = json_is_object(value) ? value : NULL;
	return 0;
}

int grp_wire_call_parse(const json_t *message, struct grp_wire_call *ret_call)
{
	struct grp_wire_call call = { .method = NULL };

	call.method = json_string_value(json_object_get(message, "method"));
	if (!call.method)
		return -EBADMSG;
	if (get_parameters(message, &call.parameters) < 0 ||
	    get_flag(message, "oneway", &call.oneway) < 0 ||
	    get_flag(message, "more", &call.more) < 0 ||
	    get_flag(message, "upgrade", &call.upgrade) < 0)
		return -EBADMSG;
	*ret_call = call;
	return 0;
}

int grp_wire_reply_parse(const json_t *message, struct grp_wire_reply *ret_reply)
{
	const json_t *error = json_object_get(message, "error");
	struct grp_wire_reply reply = { .error = json_string_value(error) };

	if (error && !reply.error && !json_is_null(error))
		return -EBADMSG;
	if (get_parameters(message, &reply.parameters) < 0 ||
	    get_flag(message, "continues", &reply.continues) < 0)
		return -EBADMSG;
	*ret_reply = reply;
	return 0;
}

/* One object of an optional string and optional parameters, which are taken over. */
static json_t *message_new(const char *key, const char *value, json_t *parameters)
{
	_cleanup_json_ json_t *message = json_object();
	_cleanup_json_ json_t *owned = parameters;

	if (!message)
		return NULL;
	if (key && json_object_set_new(message, key, json_string(value)) < 0)
		return NULL;
	if (owned && json_object_set(message, "parameters", owned) < 0)
		return NULL;
	return TAKE_PTR(message);
}

json_t *grp_wire_call_new(const char *method, json_t *parameters)
{
	return message_new("method", method, parameters);
}

json_t *grp_wire_reply_new(json_t *parameters, bool continues)
{
	_cleanup_json_ json_t *message = message_new(NULL, NULL, parameters);

	if (message && continues && json_object_set_new(message, "continues", json_true()) < 0)
		return NULL;
	return TAKE_PTR(message);
}

void grp_wire_put_reply(FILE *out, const char *parameters, bool continues)
{
	(void)fprintf(out, "{\"parameters\":%s%s}", parameters,
		      continues ? ",\"continues\":true" : "");
	(void)fputc('\0', out);
}

json_t *grp_wire_error_new(const char *error, json_t *parameters)
{
	return message_new("error", error, parameters);
}
