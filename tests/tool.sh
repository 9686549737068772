# shellcheck shell=bash
# Helpers for tests/bin-src/*.t.sh (sourced). The runner sets BIN (folder of the tools), TESTS
# (folder of the test programs), SRC (root of the checkout) and B (build folder).
#   t 'sentence' STATUS 'pattern in stderr' TOOL ARG...    (pattern '' matches anything)
#   is 'sentence' COMMAND...     passes when the command succeeds; $tmp/.stdout and $tmp/.stderr
#                                are still those of the last t
#   skip 'sentence' 'reason'     a reason that names a missing package is a failure where CI=true
set -uo pipefail
n=0 failed=0 skipped=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export PATH="$BIN:$TESTS:$PATH" LC_ALL=C.UTF-8

verdict() { # status-of-check sentence
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=$((failed + 1))
	fi
}

t() {
	local what=$1 want=$2 pattern=$3 got=0
	shift 3
	"$@" >"$tmp/.stdout" 2>"$tmp/.stderr" </dev/null || got=$?
	if [ "$got" = "$want" ] && grep -qE -e "$pattern" "$tmp/.stderr"; then
		verdict 0 "$what"
	elif [ "$got" = "$want" ] && [ -z "$pattern" ]; then
		verdict 0 "$what"
	else
		verdict 1 "$what"
		echo "# wanted status $want and /$pattern/, got status $got and:"
		sed 's/^/#   /' "$tmp/.stderr" | head -5
	fi
}

is() {
	local what=$1
	shift
	if "$@" >"$tmp/.is.stdout" 2>"$tmp/.is.stderr" </dev/null; then
		verdict 0 "$what"
	else
		verdict 1 "$what"
		sed 's/^/#   /' "$tmp/.is.stdout" "$tmp/.is.stderr" | head -8
	fi
}

skip() {
	n=$((n + 1)) skipped=$((skipped + 1))
	echo "ok $n # SKIP $1: $2"
}

end() {
	echo "1..$n"
	echo "$((n - failed - skipped)) passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] || exit 4
	exit 0
}
