#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# /metrics of a real agent, read by those who will read it: promtool, the OpenMetrics parser of
# Debian's Python client, and a real Prometheus server on loopback. What exactly is printed for a
# made-up snapshot is tests/unit/test_metrics.c, limits of HTTP are tests/unit/test_http.c.

load lib

PYTHON=/usr/bin/python3
# shellcheck disable=SC2016 # for the shell of the group
WORK='i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; true | true'

setup() {
	new_instance
}

teardown() {
	cleanup
}

# The address that the agent chose.
address() {
	ctl --json status | jq -r .config.metrics
}

start_with_metrics() {
	start_agent --metrics 127.0.0.1:0 "$@"
	ADDRESS=$(address)
	assert_match "$ADDRESS" '^127\.0\.0\.1:[1-9][0-9]*$' "address"
}

scrape() {
	curl --silent --show-error --fail --max-time 30 "http://$ADDRESS/metrics" "$@"
}

# value METRIC GROUP: of the default hierarchy, as printed
value() {
	scrape | grep -F "$1{hierarchy=\"default\",group=\"$2\"} " | cut -d' ' -f2
}

# ns of "S.NNNNNNNNN"
to_ns() {
	local seconds=${1%.*} rest=${1#*.}
	echo $((seconds * 1000000000 + 10#$rest))
}

# A group in which something has run and ended.
make_used_group() {
	ctl mkdir "$1"
	ctl exec "$1" -- sh -c "$WORK"
	wait_quiet "$1"
}

@test "promtool has nothing to say" {
	need promtool curl
	start_with_metrics
	make_used_group /used
	scrape >"$BATS_TEST_TMPDIR/text"
	run promtool check metrics <"$BATS_TEST_TMPDIR/text"
	assert_equal "$status" 0 "status: $output"
	assert_equal "$output" "" "output"
}

@test "values are those of grpctl, to the nanosecond" {
	need curl
	start_with_metrics
	make_used_group /used
	ctl mkdir /used/below
	make_used_group /used/below/deep
	assert_equal "$(to_ns "$(value taskgroup_cpu_seconds_total /used)")" "$(usage_own_ns /used)" own
	assert_equal "$(to_ns "$(value taskgroup_subtree_cpu_seconds_total /used)")" \
		"$(usage_ns /used)" subtree
	assert_equal "$(value taskgroup_forks_total /used)" "$(event /used forks)" forks
	assert_equal "$(value taskgroup_execs_total /used)" "$(event /used execs)" execs
	assert_equal "$(value taskgroup_exits_total /used)" "$(event /used exits)" exits
	assert_equal "$(value taskgroup_migrations_total /used)" "$(event /used migrations)" migrations
	assert_equal "$(value taskgroup_tasks /used)" 0 tasks
	[[ $(value taskgroup_forks_total /used) != 0 ]] || fail "no forks were counted"
}

@test "tasks and processes are counted" {
	need curl
	start_with_metrics
	ctl mkdir /threads
	start_threads 3
	ctl attach /threads "${TIDS[0]}"
	assert_equal "$(value taskgroup_tasks /threads)" "${#TIDS[@]}" tasks
	assert_equal "$(value taskgroup_processes /threads)" 1 processes
}

@test "a group with quotes and bytes that are no UTF-8" {
	need curl promtool "$PYTHON"
	start_with_metrics
	ctl mkdir $'/a"b\xff'
	scrape >"$BATS_TEST_TMPDIR/text"
	promtool check metrics <"$BATS_TEST_TMPDIR/text"
	grep -qF 'taskgroup_tasks{hierarchy="default",group="/a\"b\\xff"} 0' "$BATS_TEST_TMPDIR/text"
	scrape -H 'Accept: application/openmetrics-text' >"$BATS_TEST_TMPDIR/open"
	run "$PYTHON" - "$BATS_TEST_TMPDIR/open" <<-'END'
		import sys
		from prometheus_client.openmetrics.parser import text_string_to_metric_families

		text = open(sys.argv[1], encoding="utf-8").read()
		families = {f.name: f for f in text_string_to_metric_families(text)}
		assert families["taskgroup_cpu_seconds"].unit == "seconds"
		assert families["taskgroup_agent_build"].type == "info"
		print(*(s.labels["group"] for s in families["taskgroup_tasks"].samples), sep="\n")
	END
	assert_equal "$status" 0 "parser: $output"
	grep -qxF '/a"b\xff' <<<"$output" || fail "groups: $output"
}

@test "the agent's own figures" {
	need curl
	local fds
	start_with_metrics --capacity-groups 50
	ctl mkdir /a
	scrape >"$BATS_TEST_TMPDIR/text"
	grep -q '^taskgroup_agent_build_info{version="[0-9.]*"} 1$' "$BATS_TEST_TMPDIR/text"
	grep -q '^taskgroup_audit_corrections_total 0$' "$BATS_TEST_TMPDIR/text"
	grep -q '^taskgroup_events_lost_total 0$' "$BATS_TEST_TMPDIR/text"
	grep -q '^taskgroup_bpf_runs_total{program="[a-z_]*"} [0-9]*$' "$BATS_TEST_TMPDIR/text"
	grep -q '^taskgroup_map_entries{map="grp_groups"} 2$' "$BATS_TEST_TMPDIR/text"
	grep -q '^taskgroup_map_entries_limit{map="grp_groups"} 50$' "$BATS_TEST_TMPDIR/text"
	# of the ring buffer in events, as of all others in entries
	grep -q '^taskgroup_map_entries_limit{map="events"} 2730$' "$BATS_TEST_TMPDIR/text"
	grep -q '^process_resident_memory_bytes [1-9]' "$BATS_TEST_TMPDIR/text"
	# The connection of the scrape is one of them; those of grpctl may not be closed yet.
	fds=$(find "/proc/$(agent_pid)/fd" -mindepth 1 | wc -l)
	assert_between "$(sed -n 's/^process_open_fds //p' "$BATS_TEST_TMPDIR/text")" \
		"$fds" $((fds + 2)) "open descriptors"
}

prometheus_has() {
	curl --silent --get --data-urlencode "query=$2" "http://$1/api/v1/query" |
		jq -er '.data.result[0].value[1]'
}

prometheus_address() {
	sed -n 's/.*msg="Listening on" address=\(127[^ ]*\).*/\1/p' "$(state_dir)/prometheus.err"
}

prometheus_listens() {
	[[ -n $(prometheus_address) ]]
}

@test "a Prometheus server scrapes the agent and answers with the right value" {
	need prometheus curl
	local server query ns
	start_with_metrics
	make_used_group /used
	ns=$(usage_own_ns /used)
	cat >"$BATS_TEST_TMPDIR/prometheus.yml" <<-END
		scrape_configs:
		  - job_name: grpagent
		    scrape_interval: 1s
		    static_configs:
		      - targets: ['$ADDRESS']
	END
	spawn prometheus prometheus --config.file="$BATS_TEST_TMPDIR/prometheus.yml" \
		--storage.tsdb.path="$BATS_TEST_TMPDIR/tsdb" --web.listen-address=127.0.0.1:0
	wait_until 60 prometheus_listens
	server=$(prometheus_address)
	query='taskgroup_cpu_seconds_total{hierarchy="default",group="/used"}'
	wait_until 60 prometheus_has "$server" "$query" >/dev/null
	# The server keeps doubles: 15 digits are more than the nanoseconds of this test.
	assert_equal "$(prometheus_has "$server" "$query * 1000000000" | xargs printf '%.0f')" "$ns" ns
	assert_equal "$(prometheus_has "$server" 'up{job="grpagent"}')" 1 up
	assert_equal "$(prometheus_has "$server" 'scrape_samples_scraped' | xargs printf '%.0f')" \
		"$(scrape | grep -vc '^#')" "samples"
	stop prometheus
}

@test "an address in use is a warning" {
	need curl
	local taken
	start_with_metrics
	taken=$ADDRESS
	another_instance second
	start_agent --metrics "$taken"
	assert_equal "$(address)" none "address of the second"
	ctl mkdir /works
	assert_match "$(cat "$(agent_log)")" "$taken: Address already in use" log
	curl --silent --fail --output /dev/null "http://$taken/metrics"
}

@test "none and the default: nothing is served" {
	start_agent
	assert_equal "$(address)" none address
}

# slow_reader REQUEST: adds a connection to SLOW_FDS
slow_reader() {
	local fd
	exec {fd}<>"/dev/tcp/${ADDRESS/:/\/}"
	printf '%b' "$1" >&"$fd"
	SLOW_FDS+=("$fd")
}

answers() {
	[[ $(curl --silent --max-time 30 --output /dev/null --write-out '%{http_code}' \
		"http://$ADDRESS/metrics") == "$1" ]]
}

@test "who does not read stalls nobody" {
	need curl
	local fd
	SLOW_FDS=()
	start_with_metrics
	# More than the buffers of a connection take.
	seq -f /slow%.0f 10000 | xargs -n 2000 "$GRPCTL" --instance "$INSTANCE" mkdir
	slow_reader 'GET /metrics HT'
	for _ in {1..8}; do
		slow_reader 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'
	done
	wait_until 20 answers 503
	for _ in {1..20}; do
		timeout $((5 * SLOW)) "$GRPCTL" --instance "$INSTANCE" ping >/dev/null
	done
	timeout $((5 * SLOW)) "$GRPCTL" --instance "$INSTANCE" mkdir /meanwhile
	for fd in "${SLOW_FDS[@]}"; do
		exec {fd}>&-
	done
	wait_until 20 answers 200
}

is_busy() {
	(($(usage_own_ns "$1") > 100000000))
}

@test "a scrape under load: every sample of one moment" {
	need curl
	local sum parts
	start_with_metrics
	ctl mkdir /load /load/a /load/b
	spawn a "$GRPCTL" --instance "$INSTANCE" exec /load/a -- sh -c 'while :; do true; done'
	spawn b "$GRPCTL" --instance "$INSTANCE" exec /load/b -- sh -c 'while :; do true; done'
	wait_until 30 is_busy /load/a
	wait_until 30 is_busy /load/b
	scrape >"$BATS_TEST_TMPDIR/text"
	sum=$(sed -n 's/^taskgroup_subtree_cpu_seconds_total{.*group="\/load"} //p' "$BATS_TEST_TMPDIR/text")
	parts=0
	while read -r value; do
		parts=$((parts + $(to_ns "$value")))
	done < <(sed -n 's/^taskgroup_cpu_seconds_total{.*group="\/load\(\|\/a\|\/b\)"} //p' \
		"$BATS_TEST_TMPDIR/text")
	# Cells are read one after the other while they grow: a tick of two tasks at most.
	assert_between $(($(to_ns "$sum") - parts)) -$((2 * $(tick_ns))) $((2 * $(tick_ns))) "difference"
}
