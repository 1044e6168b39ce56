/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Macros of library headers that look like no C statement, for cppcheck, which does not read
 * those headers. Never included by our code.
 */
#define LIBBPF_OPTS(type, name, ...) struct type name = { __VA_ARGS__ }
#define HASH_ITER(hh, head, el, tmp) for ((el) = (head); (el) && ((tmp) = (el), 1); (el) = (tmp))
#define DL_FOREACH(head, el) for ((el) = (head); (el); (el) = (el)->next)
#define DL_FOREACH_SAFE(head, el, tmp) for ((el) = (head); (el) && ((tmp) = (el), 1); (el) = (tmp))
#define DL_FOREACH2(head, el, next) for ((el) = (head); (el); (el) = (el)->next)
#define DL_FOREACH_SAFE2(head, el, tmp, next) \
	for ((el) = (head); (el) && ((tmp) = (el), 1); (el) = (tmp))
#define LL_FOREACH(head, el) for ((el) = (head); (el); (el) = (el)->next)
#define LL_FOREACH_SAFE(head, el, tmp) for ((el) = (head); (el) && ((tmp) = (el), 1); (el) = (tmp))
#define json_array_foreach(array, index, value) \
	for ((index) = 0; ((value) = json_array_get(array, index)); (index)++)
#define json_object_foreach(object, key, value)                                   \
	for ((key) = first_key(object); ((value) = json_object_get(object, key)); \
	     (key) = next_key(key))
#define json_object_foreach_safe(object, tmp, key, value) json_object_foreach(object, key, value)
