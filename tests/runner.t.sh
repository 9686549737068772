#!/bin/bash
# tests/run.sh: adds up, keeps the order, and takes no silence for success.
. "$SRC/tests/tool.sh"
mkdir -p "$tmp/b/bin" "$tmp/b/tests"
job() { # name, body
	printf '#!/bin/bash\n%s\n' "$2" >"$tmp/b/$1"
	chmod +x "$tmp/b/$1"
}
run() { env -u CI -u BIN -u TESTS B="$tmp/b" "$@"; }
runner() { run bash "$SRC/tests/run.sh" "$@"; }
job good 'echo "ok 1 - a"; echo "2 passed, 0 failed, 1 skipped"'
job bad 'echo "not ok 1 - the reason"; echo "3 passed, 1 failed, 0 skipped"; exit 4'
job dies 'echo "1 passed, 0 failed, 0 skipped"; exit 139'
job silent 'exit 0'
job cannot 'exit 77'
job slow 'sleep 1; echo "1 passed, 0 failed, 0 skipped"'
job hangs 'sleep 60; echo "1 passed, 0 failed, 0 skipped"'
job lacks 'echo "ok 1 # SKIP reads our file: no package anndata"; echo "1 passed, 0 failed, 1 skipped"'
job env.t.sh 'for v in SRC B BIN TESTS PYTHON; do [ -n "${!v}" ] || exit 1; done; echo "1 passed, 0 failed, 0 skipped"'

t 'good tests: status 0' 0 '' runner "$tmp/b/good" "$tmp/b/good"
is 'and the sum in the last line' test "$(runner "$tmp/b/good" "$tmp/b/good" | tail -n 1)" = \
	'4 passed, 0 failed, 2 skipped'
t 'a failed test: status 4' 4 '' runner "$tmp/b/good" "$tmp/b/bad"
is 'whose reason is shown' grep -q 'not ok 1 - the reason' <(runner "$tmp/b/bad")
is 'death after a good last line is a failure' grep -qx '1 passed, 1 failed, 0 skipped' <(runner "$tmp/b/dies")
is 'silence is a failure' grep -qx '0 passed, 1 failed, 0 skipped' <(runner "$tmp/b/silent")
is 'so is a program that is not there' grep -qx '0 passed, 1 failed, 0 skipped' <(runner "$tmp/b/none")
is 'status 77 is a skip' grep -qx '0 passed, 0 failed, 1 skipped' <(runner "$tmp/b/cannot")
is 'a test that hangs is ended' grep -q 'ended by force' <(run TEST_SECONDS=1 bash "$SRC/tests/run.sh" "$tmp/b/hangs")
run JOBS=3 bash "$SRC/tests/run.sh" "$tmp/b/slow" "$tmp/b/good" "$tmp/b/slow" >"$tmp/order"
is 'several at a time keep the order' test \
	"$(grep -oE '^(slow|good)' "$tmp/order" | tr '\n' ' ')" = 'slow good slow '
is 'a missing package is a skip' grep -qx '1 passed, 0 failed, 1 skipped' <(runner "$tmp/b/lacks")
is 'but a failure where CI=true' grep -qx '1 passed, 1 failed, 0 skipped' \
	<(run CI=true bash "$SRC/tests/run.sh" "$tmp/b/lacks")
is 'scripts find the folders in their environment' grep -qx '1 passed, 0 failed, 0 skipped' \
	<(runner "$tmp/b/env.t.sh")
end
