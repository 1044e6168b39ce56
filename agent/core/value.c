/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stored values: what a group keeps besides its record, settings of subsystems and
 * owners of single control files. Each is one element of the store and one entry
 * here; a group has few, so they are a list. What they mean is not known here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/internal.h"

static struct grp_value_entry **list_of(struct grp_core *core, struct grp_group *group)
{
	return group ? &group->values : &core->root_values;
}

static bool make_key(const struct grp_group *group, enum grp_value_kind kind, const char *name,
		     struct grp_value_key *ret)
{
	size_t len = strlen(name);

	if (len >= sizeof(ret->name))
		return false;
	*ret = (struct grp_value_key){ .group = group ? group->id : 0, .kind = kind };
	memcpy(ret->name, name, len);
	return true;
}

static struct grp_value_entry *find(struct grp_value_entry *list, const struct grp_value_key *key)
{
	while (list && memcmp(&list->key, key, sizeof(*key)) != 0)
		list = list->next;
	return list;
}

static int add(struct grp_value_entry **list, const struct grp_value_key *key, const void *data,
	       size_t len)
{
	struct grp_value_entry *entry = calloc(1, sizeof(*entry) + len + 1);

	if (!entry)
		return -ENOMEM;
	entry->key = *key;
	entry->len = len;
	memcpy(entry->data, data, len);
	LL_PREPEND(*list, entry);
	return 0;
}

const struct grp_value_entry *grp_value_find(struct grp_core *core, struct grp_group *group,
					     enum grp_value_kind kind, const char *name)
{
	struct grp_value_key key;

	return make_key(group, kind, name, &key) ? find(*list_of(core, group), &key) : NULL;
}

int grp_value_put(struct grp_core *core, struct grp_group *group, enum grp_value_kind kind,
		  const char *name, const void *data, size_t len)
{
	struct grp_value_entry **list = list_of(core, group), *old;
	struct grp_value value = { .len = (uint32_t)len };
	struct grp_value_key key;
	int r;

	if (len > sizeof(value.data) || !make_key(group, kind, name, &key))
		return -E2BIG;
	memcpy(value.data, data, len);
	old = find(*list, &key);
	/* First what may fail without a trace, then the update that decides. */
	r = add(list, &key, data, len);
	if (r)
		return r;
	r = core->ops->value_put(core->kernel, &key, &value);
	if (r)
		old = *list;
	if (old) {
		LL_DELETE(*list, old);
		free(old);
	}
	return r;
}

int grp_value_drop(struct grp_core *core, struct grp_group *group, enum grp_value_kind kind,
		   const char *name)
{
	struct grp_value_entry **list = list_of(core, group), *old;
	struct grp_value_key key;
	int r;

	if (!make_key(group, kind, name, &key))
		return 0;
	old = find(*list, &key);
	if (!old)
		return 0;
	r = core->ops->value_put(core->kernel, &key, NULL);
	if (r)
		return r;
	LL_DELETE(*list, old);
	free(old);
	return 0;
}

int grp_values_drop(struct grp_core *core, struct grp_value_entry **list)
{
	while (*list) {
		struct grp_value_entry *entry = *list;
		int r = core->ops->value_put(core->kernel, &entry->key, NULL);

		if (r)
			return r;
		LL_DELETE(*list, entry);
		free(entry);
	}
	return 0;
}

void grp_values_forget(struct grp_value_entry **list)
{
	struct grp_value_entry *entry, *next;

	LL_FOREACH_SAFE(*list, entry, next)
		free(entry);
	*list = NULL;
}

int grp_value_adopt(struct grp_core *core, const struct grp_value_key *key,
		    const struct grp_value *value)
{
	struct grp_group *group = key->group ? grp_group_by_id(core, key->group) : NULL;
	struct grp_value_entry **list = list_of(core, group);

	if (value->len > sizeof(value->data) || key->name[sizeof(key->name) - 1])
		return -EPROTO;
	/* Of a group that was never finished, or is gone. */
	if (key->group && (!group || group->dying))
		list = &core->stray_values;
	return add(list, key, value->data, value->len);
}
