#!/bin/bash
# What `make gpu-check` and `make gpu-bench` do on a machine with a device.
#   bash workflows/gpu.sh lacks                  one sentence when there is no device, else nothing
#   bash workflows/gpu.sh run NAME OUT.json <<'JOBS'     a line a job: what it is called, a tab, its command
# Jobs run one after another, together at most GPU_SECONDS (480); one that is cut off has failed. The
# file has device, driver, clocks, compiler and date, and of each job its command, status, seconds,
# its lines (the last 40) and, from the bench programs, their numbers. Status: 0, 4 when a job
# failed, 77 without a device.
set -uo pipefail
fields=name,driver_version,clocks.max.sm,clocks.max.memory,memory.total
lacks() {
	local why
	command -v nvidia-smi >/dev/null || { echo 'there is no NVIDIA device here (no nvidia-smi)'; return; }
	why=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>&1) ||
		echo "there is no NVIDIA device here (${why%%$'\n'*})"
}
quoted() { # text to a JSON string
	printf '%s' "$1" | tr -d '\000-\010\013-\037' |
		awk '{ gsub(/\\/, "\\\\&"); gsub(/"/, "\\\""); gsub(/\t/, " "); s = s (NR > 1 ? "\\n" : "") $0 }
			END { printf "\"%s\"", s }'
}
# Lines of bench-ops to numbers; lines that are JSON as they are.
numbers() {
	awk '/^\{.*\}$/ { print sep $0; sep = "," }
		/%$/ && NF >= 6 {
			shape = NF > 6 ? $2 " " $3 " " $4 : ""
			printf "%s{\"op\": \"%s\", \"shape\": \"%s\", \"ms\": %s, \"gflop_per_s\": %s, \"gb_per_s\": %s}\n",
				sep, $1, shape, $(NF - 4), $(NF - 3), $(NF - 2)
			sep = ","
		}' "$1"
}
run() { # name file
	local name=$1 out=$2 log status failed=0 sep='' job command start took left
	local end=$((SECONDS + ${GPU_SECONDS:-480}))
	log=$(mktemp)
	trap 'rm -f "$log" "$out.part"' RETURN
	mkdir -p "$(dirname "$out")"
	local IFS=$'\t'
	{
		printf '{"name": "%s", "date": "%s",\n' "$name" "$(date -u +%FT%TZ)"
		printf ' "device": %s,\n' "$(quoted "$(nvidia-smi --query-gpu=$fields --format=csv)")"
		printf ' "compiler": %s,\n "jobs": [' "$(quoted "$("${NVCC:-nvcc}" --version 2>&1 | tail -n 2)")"
		while read -r job command; do
			left=$((end - SECONDS)) start=$(date +%s%N) status=124
			: >"$log"
			if [ "$left" -gt 0 ]; then
				status=0
				timeout --kill-after=5 "$left" bash -c "$command" >"$log" 2>&1 </dev/null || status=$?
			fi
			took=$((($(date +%s%N) - start) / 1000000))
			[ "$status" = 0 ] || failed=1
			echo "  $name: $job: status $status, $((took / 1000)) s" >&2
			printf '%s\n  {"job": %s, "command": %s, "status": %d, "seconds": %d.%03d,\n   "lines": %s,\n   "numbers": [%s]}' \
				"$sep" "$(quoted "$job")" "$(quoted "$command")" "$status" $((took / 1000)) \
				$((took % 1000)) "$(quoted "$(tail -n 40 "$log")")" "$(numbers "$log")"
			sep=,
		done
		printf '\n ],\n "passed": %s}\n' "$([ "$failed" = 0 ] && echo true || echo false)"
		[ "$failed" = 0 ]
	} >"$out.part"
	failed=$?
	mv "$out.part" "$out"
	[ "$failed" = 0 ] || return 4
}
case ${1-} in
lacks) lacks ;;
run)
	why=$(lacks)
	[ -z "$why" ] || { echo "$2: cannot run here: $why" >&2; exit 77; }
	run "$2" "$3"
	;;
*)
	echo 'usage: gpu.sh lacks | run NAME OUT.json' >&2
	exit 2
	;;
esac
