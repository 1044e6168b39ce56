/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * org.varlink.service, see introspect.h. The text of our interface is taken in
 * by the assembler, so that the file that people read is the one that is served.
 */
#include "front/introspect.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"

__asm__(".section .rodata.org_grpagent,\"a\",@progbits\n"
	".global grp_interface_text\n"
	".type grp_interface_text, @object\n"
	"grp_interface_text:\n"
	".incbin \"include/grp/org.grpagent.varlink\"\n"
	".byte 0\n"
	".size grp_interface_text, . - grp_interface_text\n"
	".previous\n");
extern const char grp_interface_text[];

static const char service_text[] =
	"# What every Varlink service tells about itself.\n"
	"interface org.varlink.service\n"
	"\n"
	"method GetInfo() -> (\n"
	"  vendor: string,\n"
	"  product: string,\n"
	"  version: string,\n"
	"  url: string,\n"
	"  interfaces: []string\n"
	")\n"
	"\n"
	"method GetInterfaceDescription(interface: string) -> (description: string)\n"
	"\n"
	"error InterfaceNotFound (interface: string)\n"
	"error MethodNotFound (method: string)\n"
	"error MethodNotImplemented (method: string)\n"
	"error InvalidParameter (parameter: string)\n"
	"error PermissionDenied ()\n"
	"error ExpectedMore ()\n";

static const struct {
	const char *name;
	const char *text;
} interfaces[] = {
	{ GRP_WIRE_SERVICE, service_text },
	{ GRP_WIRE_INTERFACE, grp_interface_text },
};

#define N_INTERFACES (sizeof(interfaces) / sizeof(*interfaces))

const char *grp_introspect_interface(const char *name)
{
	for (size_t i = 0; i < N_INTERFACES; i++)
		if (!strcmp(interfaces[i].name, name))
			return interfaces[i].text;
	return NULL;
}

static void get_info(struct grp_call *call)
{
	_cleanup_json_ json_t *names = json_array();

	for (size_t i = 0; names && i < N_INTERFACES; i++)
		if (json_array_append_new(names, json_string(interfaces[i].name)) < 0) {
			grp_call_finish(call, -ENOMEM, NULL);
			return;
		}
	grp_call_finish(call, 0,
			json_pack("{s:s, s:s, s:s, s:s, s:O}", "vendor", "grpagent", "product",
				  "grpagent", "version", GRP_VERSION, "url", "man:grpagent(8)",
				  "interfaces", names));
}

static void get_interface_description(struct grp_call *call)
{
	const char *name = json_string_value(json_object_get(call->wire.parameters, "interface"));
	const char *text;

	if (!name) {
		grp_call_error(call, GRP_WIRE_ERROR_PARAMETER, "parameter", "interface");
		return;
	}
	text = grp_introspect_interface(name);
	if (!text) {
		grp_call_error(call, GRP_WIRE_ERROR_NO_INTERFACE, "interface", name);
		return;
	}
	grp_call_finish(call, 0, json_pack("{s:s}", "description", text));
}

void grp_introspect_dispatch(struct grp_call *call, const char *method)
{
	if (!strcmp(method, "GetInfo"))
		get_info(call);
	else if (!strcmp(method, "GetInterfaceDescription"))
		get_interface_description(call);
	else
		grp_call_error(call, GRP_WIRE_ERROR_NO_METHOD, "method", call->wire.method);
}
