#!/bin/bash
# What `make gpu-check` and `make gpu-bench` do on a machine with a device.
#   bash workflows/gpu.sh lacks                  one sentence when there is no device, else nothing
#   bash workflows/gpu.sh check|bench PROGRAMS   prints the jobs: a line each, its name, most seconds ('-': what is
#                                                left), command, with tabs between; PROGRAMS: build/cuda
#   bash workflows/gpu.sh run NAME OUT.json      runs the jobs that stand on its input
#   bash workflows/gpu.sh fit OPTION MOST LEAST COMMAND...      COMMAND OPTION MOST; half of it as long as it says
#                                                that memory is short, down to LEAST
# The first job must be bench-device: when it says 77 there is nothing to run. Jobs run one after another, together
# at most GPU_SECONDS (480): one that is cut off has failed, one that cannot be started in time is left out; both
# are named. Meanwhile nvidia-smi samples the clocks. `DEVICE` in OUT.json becomes the device's name. What the file
# has and the status: bench/gpu-report.c. GPU_SIZE=tiny: sizes for the emulation. GPU_FOLDERS: folders of
# golden/model. GPU_REPORT: the program gpu-report. GPU_LOGS: where what jobs print is kept.
set -uo pipefail
export CUDA_DEVICE_ORDER=PCI_BUS_ID # as nvidia-smi counts them
facts=index,name,driver_version,clocks.max.sm,clocks.max.memory,memory.total
more=$facts,pci.bus_id,ecc.mode.current,mig.mode.current,compute_mode,persistence_mode,power.limit
lacks() {
	local why
	command -v nvidia-smi >/dev/null || { echo 'there is no NVIDIA device here (no nvidia-smi)'; return; }
	why=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>&1) || {
		echo "there is no NVIDIA device here (${why%%$'\n'*})"
		return
	}
	[ -n "$why" ] || echo 'there is no NVIDIA device here (nvidia-smi names none)'
}
tiny() { [ "${GPU_SIZE-}" = tiny ]; }
job() { # name seconds command; an emulation has all the time there is
	printf '%s\t%s\t%s\n' "$1" "$(tiny && echo - || echo "$2")" "$3"
}

check_jobs() { # folder of programs
	local f b
	job device 30 "$1/bench/bench-device --facts"
	job kernels 120 "$1/kernels/test_cuda"
	for f in ${GPU_FOLDERS-}; do
		for b in cuda cuda-bf16; do job "model $b $f" 60 "$1/parity/parity-model $f --backend $b"; done
	done
	job '100 training steps beside those of the processor' 120 "$1/kernels/test_curve_cuda $(tiny && echo 3 1 || echo 100 100)"
	job 'kernels under compute-sanitizer' - \
		"bash workflows/gpu.sh sanitizer --error-exitcode 4 $1/kernels/test_cuda"
}
# Rows at a time and cells a step are those of the plan (make gpu-plan) where the memory has room for them.
bench_jobs() { # folder of programs
	local p=$1 on='--backend cuda-bf16' c n fit='bash workflows/gpu.sh fit' rows cell micro least batch steps
	local lengths
	if tiny; then
		job device 60 "$p/bench/bench-device --product 48 --mib 1 --seconds 0.01"
	else
		job device 90 "$p/bench/bench-device"
	fi
	for c in base small; do
		rows=32784 cell=2049 micro=16392 least=2049 batch=32 steps=4 n=2
		[ $c = base ] || micro=65568
		if tiny; then rows=64 cell=33 micro=50 least=25 batch=2 steps=1 n=1; fi
		job "operations, $c" 120 "$fit --rows $rows $((rows / 4)) $p/bench/bench-ops --json --config $c \
$(tiny && echo --classes 200) --cell $cell --dropout 0.02 --repeat $((n + 1)) --threads 1 $on"
		for lengths in full realistic; do
			job "step, $c, $lengths lengths" 90 "$fit --micro-rows $micro $least $p/bench/bench-train --config \
$(tiny && echo tiny --genes 24 || echo $c) $([ $lengths = realistic ] || echo --full-length) --batch $batch --steps $steps \
--repeat $n --dropout 0.02 $on"
		done
	done
}

fit() { # option most least command...
	local option=$1 most=$2 least=$3 status said
	shift 3
	said=$(mktemp)
	while :; do
		status=0
		"$@" "$option" "$most" 2>"$said" || status=$?
		cat "$said" >&2
		[ $status != 0 ] && [ $((most / 2)) -ge "$least" ] && grep -qE '(no|out of) memory' "$said" || break
		most=$((most / 2))
		echo "memory is short: once more with $option $most" >&2
	done
	rm -f "$said"
	return $status
}
# Beside nvcc, in PATH, or not here.
sanitizer() {
	local beside
	beside=$(dirname "$(command -v "${NVCC:-nvcc}" || echo /usr/local/cuda/bin/nvcc)")/compute-sanitizer
	[ -x "$beside" ] || beside=$(command -v compute-sanitizer) || {
		echo 'compute-sanitizer is not installed (it comes with the CUDA toolkit)'
		return 77
	}
	"$beside" "$@"
}

# The bus of the device that the first job named; of the only one where it did not.
bus_of() { sed -n 's/.*"pci": *"\([^"]*\)".*/\1/p' "$1" | head -n 1; }
name_of() { sed -n 's/.*"device": *"\([^"]*\)".*/\1/p' "$1" | head -n 1; }
run() { # name file
	local name=$1 out=$2 logs=${GPU_LOGS-} k=0 status start took left limit job command bus='' sampler version
	local begin=$SECONDS budget=${GPU_SECONDS:-480}
	[ -n "$logs" ] || { logs=$(mktemp -d) && trap 'rm -rf "$logs"' RETURN; }
	mkdir -p "$logs" "$(dirname "$out")" && rm -f "$logs"/jobs.tsv "$logs"/*.log "$logs"/*.csv || return 1
	version=$(sed -n 's/.*GC_VERSION "\(.*\)"/\1/p' lib/base/version.h 2>/dev/null)
	printf '%s' "$name" >"$logs/name"
	printf '%s' "$budget" >"$logs/budget"
	date -u +%FT%TZ >"$logs/date"
	echo "$version $(git describe --always --dirty 2>/dev/null)" >"$logs/version"
	"${NVCC:-nvcc}" --version 2>&1 | tail -n 2 >"$logs/compiler"
	# Older drivers know fewer fields, and then print none.
	nvidia-smi --query-gpu=$more --format=csv >"$logs/nvidia-smi" 2>/dev/null ||
		nvidia-smi --query-gpu=$facts --format=csv >"$logs/nvidia-smi" 2>&1
	while IFS=$'\t' read -r job limit command; do
		left=$((budget - SECONDS + begin)) start=$(date +%s%N) status=-1 sampler=''
		[ "$limit" != - ] && [ "$limit" -lt "$left" ] || limit=$left
		: >"$logs/$k.log"
		if [ "$left" -gt 0 ]; then
			if [ -n "$bus" ]; then
				nvidia-smi -i "$bus" --query-gpu=clocks.sm,clocks.mem,power.draw,temperature.gpu,memory.used \
					--format=csv,noheader,nounits -lms 500 >"$logs/$k.csv" 2>/dev/null </dev/null &
				sampler=$!
			fi
			status=0
			timeout --kill-after=5 "$limit" bash -c "$command" >"$logs/$k.log" 2>&1 </dev/null || status=$?
			if [ -n "$sampler" ]; then
				kill "$sampler" 2>/dev/null
				wait "$sampler" 2>/dev/null
			fi
		fi
		took=$((($(date +%s%N) - start) / 1000000))
		echo "  $name: $job: $([ $status = -1 ] && echo 'left out, no time' || echo "status $status, $((took / 1000)) s")" >&2
		printf '%s\t%d\t%d.%03d\t%s\n' "$job" "$status" $((took / 1000)) $((took % 1000)) "$command" >>"$logs/jobs.tsv"
		if [ $k = 0 ]; then
			[ $status != 77 ] || break
			bus=$(bus_of "$logs/0.log")
			[ -z "$bus" ] || nvidia-smi -i "$bus" --query-gpu=mig.mode.current --format=csv,noheader >"$logs/mig" 2>/dev/null
			out=${out/DEVICE/$(name_of "$logs/0.log" | tr 'A-Z' 'a-z' | tr -cs 'a-z0-9\n' '-' | sed 's/^-*//; s/-*$//')}
		fi
		k=$((k + 1))
	done
	"${GPU_REPORT:-build/bench/gpu-report}" "$logs" --nominal "${GPU_NOMINAL:-reference/gpu/nominal.tsv}" --out "$out"
	status=$?
	# A check is passed when all of it was run.
	if [ $status = 0 ] && [ "$name" = gpu-check ] && ! grep -q '^ "complete": true' "$out"; then
		echo "$name: something was left out: see '$out'" >&2
		status=4
	fi
	[ $status = 77 ] || echo "$name: written: $out" >&2
	return $status
}
case ${1-} in
lacks) lacks ;;
check | bench) "$1_jobs" "${2:?}" ;;
fit | sanitizer) "$@" ;;
run)
	why=$(lacks)
	[ -z "$why" ] || { echo "$2: cannot run here: $why" >&2; exit 77; }
	run "$2" "$3"
	;;
*)
	echo 'usage: gpu.sh lacks | check PROGRAMS | bench PROGRAMS | run NAME OUT.json | fit OPTION MOST LEAST COMMAND...' >&2
	exit 2
	;;
esac
