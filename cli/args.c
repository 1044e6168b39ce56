/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Words of the command line, see args.h.
 */
#include "args.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/parse.h"
#include "base/text.h"
#include "grp/ids.h"

bool grp_args_store(struct grp_args *args, int id, const char *value)
{
	for (int i = 0; args->options && args->options[i].id; i++) {
		if (args->options[i].id == id) {
			args->values[i] = value ?: "";
			return true;
		}
	}
	return false;
}

const char *grp_args_value(const struct grp_args *args, int id)
{
	for (int i = 0; args->options && args->options[i].id; i++) {
		if (args->options[i].id == id)
			return args->values[i];
	}
	return NULL;
}

json_t *grp_args_flag(const struct grp_args *args, int id)
{
	return grp_args_value(args, id) ? json_true() : NULL;
}

/* Length of the [A-Za-z0-9_.-]{1,64} that @text begins with; 0: too long or none. */
static size_t name_length(const char *text)
{
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				  "0123456789_.-");

	return len <= GRP_HIERARCHY_NAME_MAX ? len : 0;
}

bool grp_args_name_valid(const char *name)
{
	size_t len = name_length(name);

	return len && !name[len] && strcmp(name, ".") && strcmp(name, "..");
}

static json_t *text_of(const char *bytes, size_t len)
{
	_cleanup_free_ char *text = NULL;

	if (grp_text_fix_utf8(bytes, len, &text) < 0)
		return NULL;
	return json_string(text);
}

json_t *grp_args_text(const char *argument)
{
	return text_of(argument, strlen(argument));
}

json_t *grp_args_texts(char *const *arguments, int n)
{
	_cleanup_json_ json_t *array = json_array();

	for (int i = 0; i < n; i++) {
		if (json_array_append_new(array, grp_args_text(arguments[i])) < 0)
			return NULL;
	}
	return json_incref(array);
}

/* Whether @text begins with [name:]/ */
static bool begins_group(const char *text)
{
	size_t len = name_length(text);

	return len ? text[len] == ':' && text[len + 1] == '/' : text[0] == '/';
}

/* Length of the first group of a list. */
static size_t group_length(const char *list)
{
	size_t at = 0;

	while (list[at] && !(list[at] == ',' && begins_group(&list[at + 1])))
		at += list[at] == '\\' && list[at + 1] ? 2 : 1;
	return at;
}

json_t *grp_args_groups(const char *argument)
{
	_cleanup_json_ json_t *array = json_array();

	for (;;) {
		size_t len = group_length(argument);

		if (json_array_append_new(array, text_of(argument, len)) < 0)
			return NULL;
		if (!argument[len])
			return json_incref(array);
		argument += len + 1;
	}
}

/* Second names that sigabbrev_np() does not know. */
static const struct {
	const char *name;
	int number;
} signal_aliases[] = {
	{ "CLD", SIGCHLD },
	{ "IO", SIGIO },
	{ "IOT", SIGIOT },
};

int grp_args_signal(const char *argument, int *ret_signal)
{
	const char *name = strncasecmp(argument, "SIG", 3) ? argument : argument + 3;
	uint64_t number;

	if (!grp_parse_u64(argument, 0, _NSIG - 1, &number)) {
		*ret_signal = (int)number;
		return 0;
	}
	for (int i = 1; i < _NSIG; i++) {
		const char *known = sigabbrev_np(i);

		if (known && !strcasecmp(known, name)) {
			*ret_signal = i;
			return 0;
		}
	}
	for (size_t i = 0; i < sizeof(signal_aliases) / sizeof(*signal_aliases); i++) {
		if (!strcasecmp(signal_aliases[i].name, name)) {
			*ret_signal = signal_aliases[i].number;
			return 0;
		}
	}
	return -EINVAL;
}

int grp_args_mode(const char *argument, unsigned int *ret_mode)
{
	size_t len = strlen(argument);
	unsigned int mode = 0;

	/* Four digits, and the 0 that C writes in front of octal numbers. */
	if (!len || len > 5 || strspn(argument, "01234567") != len)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		mode = mode << 3 | (unsigned int)(argument[i] - '0');
	if (mode > 07777)
		return -EINVAL;
	*ret_mode = mode;
	return 0;
}
