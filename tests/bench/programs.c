/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many instructions the verifier of this kernel walks for each program: a count
 * that is the same on every run, and must stay far from the kernel's limit.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#include "bench.h"
#include "direct.skel.h"
#include "fastpath.skel.h"

static int tell(FILE *out, const struct bpf_object *object)
{
	struct bpf_program *program;
	int r = 0;

	bpf_object__for_each_program(program, object)
	{
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);

		if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len))
			r = bench_fail(-errno, "%s", bpf_program__name(program));
		else
			(void)fprintf(out, "%s %u\n", bpf_program__name(program),
				      info.verified_insns);
	}
	return r;
}

int bench_programs(FILE *out)
{
	struct fastpath *skel = fastpath__open_and_load();
	struct direct *direct;
	int r = skel ? tell(out, skel->obj) : bench_fail(-errno, "cannot load the programs");

	fastpath__destroy(skel);
	if (r)
		return r;
	/* Before 6.10 not all of these can be loaded: then they are not told. */
	direct = direct__open_and_load();
	if (direct)
		r = tell(out, direct->obj);
	direct__destroy(direct);
	return r;
}
