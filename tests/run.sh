#!/bin/bash
# Runs test programs and scripts, several at a time, prints what failed or was skipped, adds up.
#   B=build tests/run.sh [PROGRAM | SCRIPT.t.sh | 'PROGRAM ARG...']...
# Tests find in their environment, as absolute paths: SRC (the checkout), B (the build folder), BIN
# (the tools), TESTS (the test programs), SHARED (empty, or a folder with more data), and PYTHON,
# an interpreter with the packages of tests/requirements.txt where `make venv` was called.
# The last line is `N passed, N failed, N skipped`. Output comes in the order of the arguments. A
# program that dies, takes longer than TEST_SECONDS (1200), or ends without its own such line counts
# as one failure. V=1 prints everything. JOBS: how many at a time (the -j of a surrounding make).
# With CI=true a skip for want of a package counts as a failure: packages can be installed.
set -uo pipefail
if [ -z "${JOBS:-}" ]; then
	JOBS=1
	if [[ ${MAKEFLAGS-} =~ (^|\ )-j([0-9]+) ]]; then JOBS=${BASH_REMATCH[2]}; fi
fi
# Tests that call make start afresh, outside of our own make's job server.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
SRC=${SRC:-$(cd "$(dirname "$0")/.." && pwd)}
B=$(cd "${B:-build}" && pwd) || exit 1
BIN=${BIN:-$B/bin} TESTS=${TESTS:-$B/tests}
if [ -n "${SHARED:-}" ]; then SHARED=$(cd "$SHARED" && pwd) || exit 1; fi
if [ -z "${PYTHON:-}" ]; then
	PYTHON=python3
	if [ -x "$SRC/.venv/bin/python3" ]; then PYTHON=$SRC/.venv/bin/python3; fi
fi
export SRC B BIN TESTS SHARED PYTHON

logs=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$logs"' EXIT

# Number job; leaves NUMBER.log and, when done, NUMBER.end with "status ms user-seconds system-seconds".
run_one() {
	local start status=0 command=$2 TIMEFORMAT='%U %S'
	start=$(date +%s%N)
	case $command in *.t.sh) command="bash '$command'" ;; esac
	{ time timeout --kill-after=10 "${TEST_SECONDS:-1200}" bash -c "$command" \
		>"$logs/$1.log" 2>&1 </dev/null; } 2>"$logs/$1.cpu" || status=$?
	echo "$status $((($(date +%s%N) - start) / 1000000)) $(tail -n 1 "$logs/$1.cpu")" >"$logs/$1.part"
	mv "$logs/$1.part" "$logs/$1.end"
}

passed=0 failed=0 skipped=0
tell() { # number job
	local log="$logs/$1.log" status ms user sys line p=0 f=1 s=0 wanting name
	read -r status ms user sys <"$logs/$1.end"
	line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" | tail -n 1)
	if [ -n "$line" ]; then
		read -r p f s < <(tr -cs '0-9\n' ' ' <<<"$line")
		# Died after a good last line, e.g. a leak found at exit.
		if [ "$f" = 0 ] && [ "$status" != 0 ]; then f=1; fi
	elif [ "$status" = 77 ]; then
		f=0 s=1
	fi
	if [ "${CI:-}" = true ]; then
		wanting=$(grep -aciE '^ok [0-9]+ # SKIP .*(package|module|not installed|python[^ ]* has no)' "$log")
		f=$((f + wanting)) s=$((s - wanting))
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	# A program by its name and arguments, a script by its name.
	name=${2##*/}
	if [[ ${2%% *} == */* && $2 == *' '* ]]; then name=${2%% *} name=${name##*/}${2#"${2%% *}"}; fi
	printf '%-44s %4d passed %3d failed %3d skipped  %6d ms %6.1f s of a core\n' "$name" "$p" "$f" "$s" \
		"$ms" "$(awk -v u="${user:-0}" -v s="${sys:-0}" 'BEGIN { print u + s }')"
	if [ "${V:-0}" = 1 ]; then
		cat "$log"
	elif [ "$f" != 0 ]; then
		if [ "$status" = 124 ] || [ "$status" = 137 ]; then
			echo "  ended by force after $((ms / 1000)) seconds"
		elif [ -z "$line" ]; then
			echo "  ended with status $status:"
		fi
		grep -avE '^ok ' "$log" | tail -n 60 | sed 's/^/  /'
	fi
	grep -aE '^ok [0-9]+ # SKIP' "$log" | sed 's/^ok [0-9]* # SKIP/  skipped:/' || true
}

told=0
tell_ready() { # in order: stops at the first that is still running
	while [ "$told" -lt $# ] && [ -e "$logs/$told.end" ]; do
		tell "$told" "${@:told+1:1}"
		told=$((told + 1))
	done
}

i=0
for job in "$@"; do
	while [ "$(jobs -rp | wc -l)" -ge "$JOBS" ]; do
		wait -n
		tell_ready "$@"
	done
	run_one "$i" "$job" &
	i=$((i + 1))
done
while [ "$told" -lt $# ]; do
	status=0
	wait -n || status=$?
	# Nothing runs any more, and no verdict: the runner of that test itself was killed.
	if [ "$status" = 127 ] && [ ! -e "$logs/$told.end" ]; then echo 137 0 0 0 >"$logs/$told.end"; fi
	tell_ready "$@"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] || exit 4
