#!/bin/bash
# gpu-check and gpu-bench: without a device one sentence; with one (here: a program in its place that
# answers as nvidia-smi does) every job is run and written down, also what fails or takes too long; shares by
# hand; and the whole of it with the emulated kernels, on tiny sizes.
. "$SRC/tests/tool.sh"
cd "$SRC" || exit 1
export GPU_REPORT=$B/bench/gpu-report
gpu() { bash workflows/gpu.sh "$@"; }
jobs() { # file of jobs, argument...
	local f=$1
	shift
	PATH="$tmp/device:$PATH" NVCC=false gpu "$@" <"$f"
}
mkdir "$tmp/none" "$tmp/device"
for x in bash env date awk tr tail mktemp dirname mkdir mv timeout rm grep; do
	ln -s "$(command -v $x)" "$tmp/none/$x"
done
holds() { # file condition on the document d, in Python
	"$PYTHON" -c 'import json, math, sys; d = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' "$@"
}
without() { PATH="$tmp/none" "$(command -v bash)" "$SRC/workflows/gpu.sh" "$@"; }
t 'without a device: 77 and a sentence' 77 '^gpu-check: cannot run here: there is no NVIDIA device here' \
	without run gpu-check "$tmp/x.json"
is 'and no file' test ! -e "$tmp/x.json"
printf '#!/bin/sh\nexit 0\n' >"$tmp/device/nvidia-smi" && chmod +x "$tmp/device/nvidia-smi"
t 'a driver that names no device' 77 'nvidia-smi names none' jobs /dev/null run gpu-check "$tmp/x.json"
printf '#!/bin/sh\necho Driver mismatch\nexit 9\n' >"$tmp/device/nvidia-smi"
t 'a driver that does not answer' 77 'no NVIDIA device here .Driver mismatch' jobs /dev/null run gpu-check "$tmp/x.json"
t 'no job: usage' 2 'usage: gpu.sh' gpu

# A driver that knows not every field, a device whose clock is asked for by its bus.
cat >"$tmp/device/nvidia-smi" <<'SH'
#!/bin/sh
case "$*" in
*compute_mode*) echo 'Field "compute_mode" is not a valid field to query.'; exit 2 ;;
*clocks.sm,*) case "$*" in *'-i 0000:01:00.0'*) printf '1980, 2619, 300.5, 40, 100\n1500, 2619, [N/A], 50, 900\n1700, 2619, 600, 60, 800\n' ;; esac ;;
*mig*) cat "$MIG" ;;
*) echo 'name, driver_version'; echo 'A "Device" \ 1, 2.3' ;;
esac
SH
chmod +x "$tmp/device/nvidia-smi"
export MIG=$tmp/mig
echo Disabled >"$MIG"
# A line of bench-device; jobs behind it.
device() { # name, what else is in it
	printf 'device\t-\tcat %s\n' "$tmp/line"
	printf '{"device": "%s", "emulated": false, "pci": "0000:01:00.0", "notes": ["hot"], "product_tflops": 500, "copy_gb_per_s": 2500, "triad_gb_per_s": 2000}\n' \
		"$1" >"$tmp/line"
}
h100='NVIDIA H100 80GB HBM3'
{
	device "$h100"
	printf 'good\t-\techo "{\\"op\\": \\"x\\", \\"gflop_per_s\\": 125000, \\"gb_per_s\\": 500}"; echo "{\\"model_tflops\\": 250}"; echo {not\n'
	printf 'last, with "quotes"\t5\techo "a\\\\b"; printf "tab\\there \\\\377\\n"; sleep 0.2\n'
} >"$tmp/good"
t 'with one the jobs are run' 0 'gpu-check: good: status 0' jobs "$tmp/good" run gpu-check "$tmp/d/x-DEVICE.json"
good=$tmp/d/x-nvidia-h100-80gb-hbm3.json
is 'the file is named for the device' test -e "$good"
is 'what they print is in the file' holds "$good" '(d["passed"] and d["complete"] and not d["emulated"]
	and "A \"Device\" \\ 1" in d["nvidia-smi"] and d["notes"] == ["hot"] and d["jobs"][1]["lines"] == ["{not"]
	and d["jobs"][2]["job"] == "last, with \"quotes\"" and "tab\there ?" in d["jobs"][2]["lines"] and d["date"] and d["version"])'
is 'shares of the measured peaks, and of the larger of copy and triad' holds "$good" '(lambda a, b:
	a["share_of_product"] == 0.25 and a["share_of_memory"] == 0.2 and b["share_of_product"] == 0.5)(*d["jobs"][1]["numbers"])'
is 'of the nominal ones beside' holds "$good" '(lambda a, b: abs(a["share_of_nominal_product"] - 125 / 989.4) < 1e-5
	and abs(a["share_of_nominal_memory"] - 500 / 3350) < 1e-5
	and abs(b["share_of_nominal_product"] - 250 / 989.4) < 1e-5)(*d["jobs"][1]["numbers"])'
is 'the peaks have no share of themselves by the measured ones' holds "$good" '"share_of_product" not in d["jobs"][0]["numbers"][0]'
is 'clocks meanwhile: least, middle, most; what is no number is left out' holds "$good" '(lambda c:
	c["clock_mhz"] == [1500, 1700, 1980] and c["watts"] == [300.5, 600, 600] and c["memory_mib"][2] == 900)(
	d["jobs"][2]["least_middle_most"])'
echo Enabled >"$MIG"
t 'a part of a device' 0 '' jobs "$tmp/good" run gpu-bench "$tmp/mig.json"
is 'has no nominal peak, and the file says why' holds "$tmp/mig.json" '("MIG is on" in d["notes"][-1]
	and d["peaks"]["nominal_product_tflops"] is None and "share_of_nominal_product" not in d["jobs"][1]["numbers"][0])'
echo Disabled >"$MIG"
device 'Another Card' >"$tmp/other"
t 'a device that the table does not know' 0 '' jobs "$tmp/other" run gpu-bench "$tmp/other.json"
is 'is told' holds "$tmp/other.json" '"no nominal peak" in d["notes"][-1] and d["peaks"]["product_tflops"] == 500'
device "$h100" >"$tmp/bad"
printf 'bad\t-\texit 3\nnext\t-\ttrue\n' >>"$tmp/bad"
t 'a job that fails is a failure of all' 4 'bad: status 3' jobs "$tmp/bad" run gpu-check "$tmp/bad.json"
is 'and the next one is run' holds "$tmp/bad.json" \
	'not d["passed"] and [j["outcome"] for j in d["jobs"]] == ["passed", "failed", "passed"]'
device "$h100" >"$tmp/slow"
printf 'slow\t1\tsleep 30\nnext\t-\ttrue\n' >>"$tmp/slow"
t 'what takes longer than its share is cut off' 4 'slow: status 124' jobs "$tmp/slow" run gpu-bench "$tmp/slow.json"
is 'and the next one is run' holds "$tmp/slow.json" '[j["outcome"] for j in d["jobs"]] == ["passed", "cut off", "passed"]'
device "$h100" >"$tmp/late"
printf 'long\t-\tsleep 300\nnever\t-\ttrue\n' >>"$tmp/late"
export GPU_SECONDS=8
t 'all together too long' 4 'never: left out' jobs "$tmp/late" run gpu-bench "$tmp/late.json"
is 'what had no time is named' holds "$tmp/late.json" \
	'd["left_out"] == [{"job": "never", "why": "no time was left"}] and not d["complete"]'
unset GPU_SECONDS
device "$h100" >"$tmp/lacks"
printf 'sanitizer\t-\texit 77\nother\t-\techo no such tool; exit 77\n' >>"$tmp/lacks"
t 'a benchmark that lacks something goes on' 0 '' jobs "$tmp/lacks" run gpu-bench "$tmp/lacks.json"
is 'and says what, in the words of the job' holds "$tmp/lacks.json" \
	'd["passed"] and not d["complete"] and d["left_out"][1] == {"job": "other", "why": "no such tool"}'
t 'a check that lacks something has not passed' 4 'something was left out' jobs "$tmp/lacks" run gpu-check "$tmp/lacks.json"
printf 'device\t-\techo no driver >&2; exit 77\nnext\t-\ttrue\n' >"$tmp/nothing"
t 'no device for the programs: 77 and their sentence' 77 'no driver' jobs "$tmp/nothing" run gpu-check "$tmp/nothing.json"
is 'and no file of it' test ! -e "$tmp/nothing.json"
device "$h100" >"$tmp/loud"
printf 'loud\t-\tyes 0123456789abcdef0123456789abcdef | head -n 600000; echo 17 errors; exit 3\n' >>"$tmp/loud"
t 'a job that says more than is kept' 4 'loud: status 3' jobs "$tmp/loud" run gpu-check "$tmp/loud.json"
is 'has its last words kept' holds "$tmp/loud.json" 'd["jobs"][1]["lines"][-1] == "17 errors"'
t 'no compute-sanitizer: 77' 77 '' env PATH="$tmp/none" NVCC=/nowhere/nvcc "$(command -v bash)" workflows/gpu.sh sanitizer x
is 'and a sentence' grep -q '^compute-sanitizer is not installed' "$tmp/.stdout"

# Memory: half the rows as long as it is short; any other failure is one.
cat >"$tmp/needs" <<'SH'
#!/bin/sh
[ "$3" -le "$1" ] || { echo "no memory for this batch" >&2; exit 1; }
echo "rows $3"
SH
chmod +x "$tmp/needs"
t 'too many rows: fewer' 0 'once more with --rows 250' gpu fit --rows 1000 100 "$tmp/needs" 300
is 'until they fit' grep -q 'rows 250' "$tmp/.stdout"
t 'but not fewer than asked for' 1 'no memory' gpu fit --rows 1000 400 "$tmp/needs" 300
t 'an illegal memory access is not want of memory' 3 '' gpu fit --rows 8 1 sh -c 'echo an illegal memory access >&2; exit 3'
is 'and is not tried again' test "$(wc -l <"$tmp/.stderr")" = 1

# The whole path, emulated.
export GPU_SIZE=tiny GPU_SECONDS=1100
gpu bench "$B/cuemu" >"$tmp/bench"
t 'the benchmark on the emulation' 0 '' jobs "$tmp/bench" run gpu-bench "$tmp/emulated.json"
is 'says that it is one' holds "$tmp/emulated.json" 'd["emulated"] is True and "emulated" in d["notes"][0] and d["passed"] and d["complete"]'
is 'every number is finite' holds "$tmp/emulated.json" 'all(math.isfinite(v) for j in d["jobs"] for n in j["numbers"]
	for v in n.values() if isinstance(v, float))'
is 'operations have time, rates and shares of the peaks' holds "$tmp/emulated.json" '(lambda p, ops:
	{n["op"] for n in ops} >= {"attention_forward", "attention_backward", "linear_forward", "linear_backward", "norm_forward",
	"norm_backward", "layer linears_backward", "layer norm_backward", "layer attention_forward", "gather_forward", "add_species_backward", "id_loss", "square_loss", "adamw"} and all(n["ms"] > 0
	and math.isclose(n.get("share_of_product", 0), n["gflop_per_s"] / 1e3 / p["product_tflops"], rel_tol=1e-3)
	and math.isclose(n["share_of_memory"], n["gb_per_s"] / p["memory_gb_per_s"], rel_tol=1e-3) for n in ops))(
	d["peaks"], [n for j in d["jobs"] for n in j["numbers"] if "op" in n])'
is 'steps have cells, tokens, FLOPs and memory' holds "$tmp/emulated.json" '(lambda p, steps: len(steps) == 4
	and all(n["cells_per_s"] > 0 and n["nonpad_tokens_per_s"] > n["cells_per_s"] and n["device_memory_peak_mb"] > 1
	and math.isclose(n["share_of_product"], n["model_tflops"] / p["product_tflops"], rel_tol=0.05) for n in steps)
	and steps[0]["mean_length"] == 24 and steps[1]["mean_length"] < 24)(
	d["peaks"], [n for j in d["jobs"] for n in j["numbers"] if "cells_per_s" in n])'
mkdir -p "$tmp/reference/gpu"
device x >"$tmp/one"
printf '{"device": "x", "emulated": true, "notes": []}\n' >"$tmp/line"
t 'its numbers are refused among those of devices' 2 'do not belong among results of devices' \
	jobs "$tmp/one" run gpu-bench "$tmp/reference/gpu/x.json"
is 'and not written' test ! -e "$tmp/reference/gpu/x.json"
printf 'device\t-\texit 3\n' >"$tmp/unnamed"
t 'nor what does not name its device' 2 'no device was named' jobs "$tmp/unnamed" run gpu-bench "$tmp/reference/gpu/x.json"
t 'elsewhere it is a failure that is written down' 4 'failed or was cut off' jobs "$tmp/unnamed" run gpu-bench "$tmp/u.json"
is 'without shares or peaks' holds "$tmp/u.json" 'd["peaks"] is None and d["device"] is None and not d["passed"]'

# The check: programs in the places of the device build. Of the kernels' own test a stand-in: it is a test here.
mkdir -p "$tmp/p/kernels" "$tmp/p/parity"
ln -s "$B/cuemu/bench" "$tmp/p/bench"
ln -s "$TESTS/parity-model-cuda" "$tmp/p/parity/parity-model"
ln -s "$TESTS/test_curve_cuda" "$tmp/p/kernels/test_curve_cuda"
printf '#!/bin/sh\necho 1 passed\n' >"$tmp/p/kernels/test_cuda"
printf '#!/bin/sh\nshift 2\n"$@"\n' >"$tmp/device/compute-sanitizer"
chmod +x "$tmp/p/kernels/test_cuda" "$tmp/device/compute-sanitizer"
GPU_FOLDERS=$SRC/reference/golden/model gpu check "$tmp/p" >"$tmp/check"
t 'the check on the emulation' 0 '' jobs "$tmp/check" run gpu-check "$tmp/check.json"
is 'kernels, model in both precisions, a curve, the sanitizer' holds "$tmp/check.json" '(d["complete"] and d["passed"]
	and [j["job"].split(" /")[0] for j in d["jobs"]] == ["device", "kernels", "model cuda", "model cuda-bf16",
	"100 training steps beside those of the processor", "kernels under compute-sanitizer"])'

# Kernels that spill, by the table that the compiler's words were made into: each is named in the text.
spills() { awk -F '\t' 'NR > 1 && $6 + $7 > 0 { print $2 }' "$SRC/docs/gpu-registers.tsv" | sort -u; }
is 'the table of registers has kernels' test "$(wc -l <"$SRC/docs/gpu-registers.tsv")" -gt 100
is 'the text names every kernel that spills' diff <(spills) <(grep -oE '`attention_keys[a-z_]*<[0-9, ]+>`' "$SRC/docs/gpu.md" | tr -d '\140' | sort -u)
end
