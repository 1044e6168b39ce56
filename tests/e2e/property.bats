# SPDX-License-Identifier: GPL-2.0-only
#
# Random sequences of all operations by several users against a model that was written from the
# specification (tests/property): the tree, every membership and every errno after each step, with
# births and exits, and with SIGKILL between and during the steps.
#
# PROPERTY_STEPS in the environment: how many (10000, with QUICK=1 1000). PROPERTY_SEED: which
# steps (1, with SOAK=1 others each time; the seed is printed).
#
# timeout: 900

load lib

setup() {
	new_instance
}

teardown() {
	unload_instance
	cleanup
}

# The driver runs the agent itself and takes it along when it ends.
unload_instance() {
	"$TEST_AGENT" --instance "$INSTANCE" --unload
	[[ ! -e $PINS/$INSTANCE ]] || fail "pins of $INSTANCE are left"
}

# property STEPS SEED
property() {
	"$BUILD/test/property" "$TEST_AGENT" "$INSTANCE" "$@" >"$BATS_TEST_TMPDIR/out" \
		2>"$BATS_TEST_TMPDIR/err" && return
	cat "$BATS_TEST_TMPDIR/out"
	tail -n 60 "$BATS_TEST_TMPDIR/err"
	return 1
}

@test "random steps: agent and model agree after each" {
	property "${PROPERTY_STEPS:-$(by_length 1000 10000 10000)}" "${PROPERTY_SEED:-$(by_length 1 1 "$(date +%s)")}"
	assert_match "$(cat "$BATS_TEST_TMPDIR/out")" "no difference" "the driver's last line"
}

# A test that cannot fail is none: an agent that is not what the model thinks is found out.
@test "a difference is found: a group that somebody else made" {
	local status=0
	start_agent
	ctl mkdir /stranger
	kill_agent
	property 20 1 || status=$?
	assert_equal "$status" 1 "status"
	assert_match "$(cat "$BATS_TEST_TMPDIR/err")" "/stranger: not in the model" "what it says"
}
