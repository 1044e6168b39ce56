# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Which CPUs the threads of a process may use, as the kernel says. To be loaded after lib.

# affinity PID: of all its threads, each different one once
affinity() {
	local task
	for task in /proc/"$1"/task/*; do
		sed -n 's/^Cpus_allowed_list:\s*//p' "$task/status" || true
	done 2>/dev/null | sort -u | tr '\n' ' ' | sed 's/ $//'
}

has() { # PID LIST
	assert_equal "$(affinity "$1")" "$2" "CPUs of $1"
}
