/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * org.varlink.service: what every Varlink service tells about itself.
 */
#ifndef GRP_FRONT_INTROSPECT_H
#define GRP_FRONT_INTROSPECT_H

#include "front/call.h"

/* grp_introspect_interface() - text of an interface; NULL: we have none such. */
const char *grp_introspect_interface(const char *name);

/*
 * grp_introspect_dispatch() - answer a call to org.varlink.service.
 * @method: its name without the interface.
 */
void grp_introspect_dispatch(struct grp_call *call, const char *method);

#endif
