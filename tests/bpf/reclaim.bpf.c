// SPDX-License-Identifier: GPL-2.0-only
/*
 * What counts direct reclaim, to be run by a test for itself: real reclaim is made
 * in guests only, where nobody else suffers (tests/e2e/cpuset_pressure.bats).
 */
#include "pressure.bpf.c"

SEC("raw_tp")
int reclaim(void *ctx)
{
	return count_current();
}
