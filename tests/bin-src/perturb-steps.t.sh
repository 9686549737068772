#!/bin/bash
# perturb-steps: steps of one change, cell by cell, and beside random genes.
. "$SRC/tests/tool.sh"
# Two steps of G1 on cells 1 to 4; cell 4 stands in the second alone, cell 9 in the first alone.
step() { # DIR NULL VALUE-OF-CELL...
	mkdir -p "$1"
	printf 'perturbation\tsample\tcell\tcell_id\tcls_shift\ttowards_x\n' >"$1/cells.tsv"
	for v in "${@:3}"; do printf 'G1\ts\tc%s\t%s\t%s\tnan\n' "${v%=*}" "${v%=*}" "${v#*=}" >>"$1/cells.tsv"; done
	{
		printf 'perturbation\tn_controls'
		for m in cls_shift towards_x; do printf '\t%s\t%s_low\t%s_high\t%s_null\t%s_p' $m $m $m $m $m; done
		printf '\nG1\t3\t0.5\t0.4\t0.7\t%s\t0.25\tnan\tnan\tnan\tnan\tnan\n' "$2"
	} >"$1/predictions.tsv"
}
step "$tmp/half" 0.1 1=0.1 2=0.2 3=0.3 9=5
step "$tmp/none" nan 1=0.3 2=0.5 3=0.4 4=7
s() { perturb-steps --quiet "$@"; }
t 'two steps' 0 '' s --steps half="$tmp/half" none="$tmp/none" --dataset made --out "$tmp/o"
value() { awk -F '\t' -v m="$1" -v k="$2" '$3 == m && $7 == k { print $8 }' "$tmp/o/metrics.tsv"; }
close_to() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && a - b < 1e-6 && b - a < 1e-6) }'; }
# Differences 0.2, 0.3, 0.1: mean 0.2, SD 0.1, t(2) 4.302653, half-width 0.248414.
is 'cells of both are compared one by one' close_to "$(value none cls_shift_step)" 0.2
is 'with an interval' close_to "$(value none cls_shift_step_low)" -0.048414
is 'of two sides' close_to "$(value none cls_shift_step_high)" 0.448414
# Rank sums 6 and 0: mean 3, SD sqrt(3.5), so z is 1.603567 and p 0.108810.
is 'and signed ranks' close_to "$(value none cls_shift_step_p)" 0.108809
is 'the first step has none before it' test -z "$(value half cls_shift_step)"
is 'it lies beyond random genes' close_to "$(value half cls_shift_beyond_random)" 0.4
is 'with the interval over cells' close_to "$(value half cls_shift_beyond_random_low)" 0.3
is 'where there were none it says nothing' test -z "$(value none cls_shift_beyond_random)"
is 'numbers that nobody knows make no step' test -z "$(value none towards_x_step)"
is 'a line for each step and measure' test "$(cut -f3-5,12 "$tmp/o/predictions.tsv" | tail -n +2 | tr '\t\n' ', ')" = \
	'cls_shift,half,4,0 towards_x,half,4,0 cls_shift,none,4,3 towards_x,none,4,0 '
t 'one step alone' 0 '' s --steps half="$tmp/half" --out "$tmp/one"
t 'no step' 2 'steps is missing' s --out "$tmp/x"
t 'a step without a name' 2 'wants NAME=DIR' s --steps "$tmp/half" --out "$tmp/x"
t 'a folder without cells' 3 'cells.tsv' s --steps a="$tmp" --out "$tmp/x"
cp -r "$tmp/half" "$tmp/bad"
sed -i '2s/0.1/much/' "$tmp/bad/cells.tsv"
t 'a word for a number' 3 "step 'b': 'much' in column 'cls_shift' is no number" s --steps b="$tmp/bad" --out "$tmp/x"
sed '3p' "$tmp/half/cells.tsv" >"$tmp/bad/cells.tsv"
t 'a cell twice' 3 "cell 2 stands twice for 'G1'" s --steps b="$tmp/bad" --out "$tmp/x"
sed '1s/towards_x/towards_y/' "$tmp/half/cells.tsv" >"$tmp/bad/cells.tsv"
t 'other measures' 3 "'half' and 'b' have other measures: 'towards_x' and 'towards_y'" s --steps half="$tmp/half" \
	b="$tmp/bad" --out "$tmp/x"
cp "$tmp/half/cells.tsv" "$tmp/bad/cells.tsv"
sed -i '1s/cls_shift_null/else/' "$tmp/bad/predictions.tsv"
t 'no random genes in the table' 3 "has no column 'cls_shift_null'" s --steps b="$tmp/bad" --out "$tmp/x"
is 'nothing half-written is left' bash -c "! ls '$tmp'/x/* 2>/dev/null"
end
