#!/bin/bash
# gpu-check and gpu-bench: without a device one sentence; with one (here: a program in its place that
# answers as nvidia-smi does) every job is run and written down, also what fails or takes too long.
. "$SRC/tests/tool.sh"
gpu() { bash "$SRC/workflows/gpu.sh" "$@"; }
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
	"$PYTHON" -c 'import json, sys; d = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' "$@"
}
without() { PATH="$tmp/none" "$(command -v bash)" "$SRC/workflows/gpu.sh" "$@"; }
t 'without a device: 77 and a sentence' 77 '^gpu-check: cannot run here: there is no NVIDIA device here' \
	without run gpu-check "$tmp/x.json"
is 'and no file' test ! -e "$tmp/x.json"
t 'no job: usage' 2 'usage: gpu.sh' gpu

cat >"$tmp/device/nvidia-smi" <<'SH'
#!/bin/sh
echo 'name, driver_version'
echo 'A "Device" \ 1, 2.3'
SH
chmod +x "$tmp/device/nvidia-smi"
printf 'good\techo "linear_forward 64 x 64 0.5 20.0 3.25 1.0 9.9%%"; echo "{\\"cells_per_s\\": 7}"\nlast, with "quotes"\techo "a\\\\b"; printf "tab\\there\\n"\n' >"$tmp/good"
t 'with one the jobs are run' 0 'gpu-check: good: status 0' jobs "$tmp/good" run gpu-check "$tmp/d/good.json"
is 'what they print is in the file' holds "$tmp/d/good.json" '(d["passed"] and "A \"Device\" \\ 1" in d["device"]
	and d["jobs"][0]["numbers"] == [{"op": "linear_forward", "shape": "64 x 64", "ms": 0.5, "gflop_per_s": 20.0,
	"gb_per_s": 3.25}, {"cells_per_s": 7}] and d["jobs"][1]["job"] == "last, with \"quotes\""
	and "tab here" in d["jobs"][1]["lines"])'
printf 'bad\texit 3\nnext\ttrue\n' >"$tmp/bad"
t 'a job that fails is a failure of all' 4 'bad: status 3' jobs "$tmp/bad" run gpu-check "$tmp/bad.json"
is 'and the next one is run' holds "$tmp/bad.json" \
	'not d["passed"] and [j["status"] for j in d["jobs"]] == [3, 0]'
printf 'slow\tsleep 30\nnever\ttrue\n' >"$tmp/slow"
export GPU_SECONDS=1
t 'what takes too long is cut off' 4 'slow: status 124' jobs "$tmp/slow" run gpu-bench "$tmp/slow.json"
is 'and what has no time left has failed' holds "$tmp/slow.json" \
	'[j["status"] for j in d["jobs"]] == [124, 124]'

# Kernels that spill, by the table that the compiler's words were made into: each is named in the text.
spills() { awk -F '\t' 'NR > 1 && $6 + $7 > 0 { print $2 }' "$SRC/docs/gpu-registers.tsv" | sort -u; }
is 'the table of registers has kernels' test "$(wc -l <"$SRC/docs/gpu-registers.tsv")" -gt 100
is 'the text names every kernel that spills' diff <(spills) <(grep -oE '`attention_keys[a-z_]*<[0-9, ]+>`' "$SRC/docs/gpu.md" | tr -d '\140' | sort -u)
end
