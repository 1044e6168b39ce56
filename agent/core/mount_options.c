/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The option list of mount and remount (HIER-4, HIER-5, HIER-8): text to flags.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/internal.h"
#include "core/mount.h"

#define RELEASE_AGENT "release_agent="

struct token {
	const char *text;
	size_t len;
};

static bool is(const struct token *token, const char *word)
{
	return token->len == strlen(word) && !memcmp(token->text, word, token->len);
}

static int parse_release_agent(const struct token *token, struct grp_mount_options *options,
			       struct grp_error *error)
{
	const char *path = token->text + strlen(RELEASE_AGENT);
	size_t len = token->len - strlen(RELEASE_AGENT);

	if (options->release_agent)
		return grp_error_set(error, EINVAL, "release_agent is given twice");
	if (len >= PATH_MAX)
		return grp_error_set(error, E2BIG, "a release agent's path has at most %d bytes",
				     PATH_MAX - 1);
	options->release_agent = strndup(path, len);
	return options->release_agent ? 0 : -ENOMEM;
}

static int parse_token(const struct token *token, struct grp_mount_options *options,
		       struct grp_error *error)
{
	int index;

	if (!token->len)
		return grp_error_set(error, EINVAL, "an option is empty");
	if (token->len >= strlen(RELEASE_AGENT) &&
	    !memcmp(token->text, RELEASE_AGENT, strlen(RELEASE_AGENT)))
		return parse_release_agent(token, options, error);
	index = grp_subsystem_find(token->text, token->len);
	if (is(token, "all"))
		options->subsystems = grp_subsystems_every();
	else if (is(token, "none"))
		options->none = true;
	else if (is(token, "noprefix"))
		options->flags |= GRP_HIERARCHY_NOPREFIX;
	else if (is(token, "clone_children"))
		options->clone_children = true;
	else if (index >= 0)
		options->subsystems |= 1U << index;
	else
		return grp_error_set(error, ENOENT,
				     "no subsystem or option '%.*s'; 'grpctl subsystems' lists "
				     "the former",
				     (int)token->len, token->text);
	return 0;
}

static int check_set(const struct grp_mount_options *options, struct grp_error *error)
{
	if (options->none && options->subsystems)
		return grp_error_set(error, EINVAL, "'none' and subsystems exclude each other");
	if (!options->none && !options->subsystems)
		return grp_error_set(error, EINVAL, "no subsystem is named; 'none' asks for none");
	return 0;
}

int grp_mount_options_parse(const char *text, struct grp_mount_options *options,
			    struct grp_error *error)
{
	struct token token = { .text = text };
	int r = 0;

	*options = (struct grp_mount_options){};
	if (!text || !*text) {
		options->subsystems = grp_subsystems_every();
		return 0;
	}
	for (;; token.text += token.len + 1) {
		token.len = strcspn(token.text, ",");
		r = parse_token(&token, options, error);
		if (r || !token.text[token.len])
			break;
	}
	if (!r)
		r = check_set(options, error);
	if (r)
		grp_mount_options_done(options);
	return r;
}

void grp_mount_options_done(struct grp_mount_options *options)
{
	free(options->release_agent);
	options->release_agent = NULL;
}
