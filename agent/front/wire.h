/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Varlink wire form: JSON objects, each ended by a NUL byte, over a stream.
 * Both ends use it; it knows framing and the shape of calls and replies, not
 * sockets, limits of users or methods. Nothing outside this header depends on
 * how it is done, so that sd-varlink can take its place.
 */
#ifndef GRP_FRONT_WIRE_H
#define GRP_FRONT_WIRE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A call is small: 1 MiB is room for every group of a bulk request. */
#define GRP_WIRE_CALL_MAX (1024UL * 1024)
/* A reply lists tasks and groups; also what a connection may have unsent. */
#define GRP_WIRE_REPLY_MAX (64UL * 1024 * 1024)

#define GRP_WIRE_INTERFACE "org.grpagent"
#define GRP_WIRE_SERVICE "org.varlink.service"
#define GRP_WIRE_ERROR_FAILED GRP_WIRE_INTERFACE ".Failed"
#define GRP_WIRE_ERROR_STARTING GRP_WIRE_INTERFACE ".Starting"
#define GRP_WIRE_ERROR_NO_INTERFACE GRP_WIRE_SERVICE ".InterfaceNotFound"
#define GRP_WIRE_ERROR_NO_METHOD GRP_WIRE_SERVICE ".MethodNotFound"
#define GRP_WIRE_ERROR_NOT_IMPLEMENTED GRP_WIRE_SERVICE ".MethodNotImplemented"
#define GRP_WIRE_ERROR_PARAMETER GRP_WIRE_SERVICE ".InvalidParameter"
#define GRP_WIRE_ERROR_EXPECTED_MORE GRP_WIRE_SERVICE ".ExpectedMore"

/* --- framing ----------------------------------------------------------------- */

/* Bytes that came in and are not taken yet. All zero but max: empty. */
struct grp_wire_reader {
	char *bytes; /* owned */
	size_t start, end, allocated;
	size_t scanned; /* no NUL in front of this */
	size_t max; /* of one message, without its NUL */
};

/* grp_wire_reader_init() - empty; @max: of one message in bytes. */
void grp_wire_reader_init(struct grp_wire_reader *reader, size_t max);
void grp_wire_reader_done(struct grp_wire_reader *reader);

/**
 * grp_wire_reader_put() - add bytes that came in.
 * Return: 0; -ENOMEM.
 */
int grp_wire_reader_put(struct grp_wire_reader *reader, const char *bytes, size_t len);

/**
 * grp_wire_reader_fill() - one recv() from a socket, at most 64 KiB.
 * Return: bytes; 0: the other side has ended; -EAGAIN: nothing there;
 * -ENOMEM; -errno of recv().
 */
ssize_t grp_wire_reader_fill(struct grp_wire_reader *reader, int fd);

/**
 * grp_wire_reader_fill_fd() - the same, with a descriptor that may come along.
 * @passed: takes the place of what is there, which is closed; -1: none.
 */
ssize_t grp_wire_reader_fill_fd(struct grp_wire_reader *reader, int fd, int *passed);

/**
 * grp_wire_reader_next() - take the next whole message.
 * @ret_message: an object, owned by the caller.
 * Return: 1; 0: none is whole yet; -EMSGSIZE: longer than max, with its NUL; -EBADMSG: not a
 * JSON object (nested too deep, invalid UTF-8, a key twice ...); -ENOMEM. After
 * -EMSGSIZE the stream cannot be read on.
 */
int grp_wire_reader_next(struct grp_wire_reader *reader, json_t **ret_message);

/* grp_wire_reader_has_more() - there are bytes, of a whole message or not. */
bool grp_wire_reader_has_more(const struct grp_wire_reader *reader);

/**
 * grp_wire_encode() - a message as it goes out.
 * @ret_bytes: owned by the caller, free().
 * @ret_len: with the NUL at the end.
 * Return: 0; -ENOMEM.
 */
int grp_wire_encode(const json_t *message, char **ret_bytes, size_t *ret_len);

/* --- shapes ------------------------------------------------------------------ */

/* A call; everything is borrowed from the message it was parsed from. */
struct grp_wire_call {
	const char *method;
	json_t *parameters; /* an object, or NULL: none were given */
	bool oneway; /* no reply is wanted, not even an error */
	bool more; /* several replies may come */
	bool upgrade; /* leave this protocol after the reply */
};

/**
 * grp_wire_call_parse() - the server's side.
 * Return: 0; -EBADMSG: not a call.
 */
int grp_wire_call_parse(const json_t *message, struct grp_wire_call *ret_call);

/*
 * The makers take over the reference to @parameters (also when they fail) and
 * give a new one; NULL parameters mean none. NULL result: no memory.
 */
json_t *grp_wire_call_new(const char *method, json_t *parameters);
json_t *grp_wire_reply_new(json_t *parameters, bool continues);
json_t *grp_wire_error_new(const char *error, json_t *parameters);

/*
 * grp_wire_put_reply() - a whole message, for replies that go to many: @parameters
 * are JSON text already. Errors are those of the stream.
 */
void grp_wire_put_reply(FILE *out, const char *parameters, bool continues);

/* A reply; everything is borrowed from the message it was parsed from. */
struct grp_wire_reply {
	const char *error; /* full name; NULL: success */
	json_t *parameters; /* an object, or NULL: none were given */
	bool continues;
};

/**
 * grp_wire_reply_parse() - the client's side.
 * Return: 0; -EBADMSG: not a reply.
 */
int grp_wire_reply_parse(const json_t *message, struct grp_wire_reply *ret_reply);

#endif
