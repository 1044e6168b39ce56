/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many instructions the verifier of this kernel walks for each program: a count
 * that is the same on every run, and must stay far from the kernel's limit.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#include "bench.h"
#include "fastpath.skel.h"

int bench_programs(FILE *out)
{
	struct fastpath *skel = fastpath__open_and_load();
	struct bpf_program *program;
	int r = skel ? 0 : bench_fail(-errno, "cannot load the programs");

	if (!skel)
		return r;
	bpf_object__for_each_program(program, skel->obj)
	{
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);

		if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len))
			r = bench_fail(-errno, "%s", bpf_program__name(program));
		else
			(void)fprintf(out, "%s %u\n", bpf_program__name(program),
				      info.verified_insns);
	}
	fastpath__destroy(skel);
	return r;
}
