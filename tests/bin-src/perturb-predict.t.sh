#!/bin/bash
# perturb-predict: simple methods equal to golden numbers, splits equal to GEARS's, and everything that
# is refused.
. "$SRC/tests/tool.sh"
golden=$SRC/reference/golden/downstream
evaluate() { perturb-predict evaluate "$@"; }

# ---- golden numbers: expected.json has one blank of indent for each level ----
expected=$golden/perturb_baselines/expected.json
gzip -dc "$golden/perturb_baselines/counts.tsv.gz" >"$tmp/cells.tsv"
level='{ depth = match($0, /[^ ]/) - 1; gsub(/[",:{\[]/, " ") }'
for name in unseen_singles unseen_doubles; do
	awk -v task=$name "$level"' BEGIN { print "condition\tpart" } depth == 1 { t = $1 } depth == 2 { p = $1 }
		depth == 3 && t == task && p ~ /^t/ && NF == 1 { print $1 "\t" p }' "$expected" >"$tmp/$name.split"
	awk -v task=$name "$level"' depth == 1 { t = $1 } depth == 2 { p = $1 } depth == 3 { m = $1 } depth == 4 { c = $1 }
		depth == 5 && t == task && p == "scores" { print m "\t" c "\t" $1 "\t" $2 }' "$expected" >"$tmp/$name.want"
done
is 'two tasks of eight and eleven'     test "$(cat "$tmp"/*.split | grep -c 'train$')" = 17
golden_task() { # scores of predictions.tsv against the wanted: how many were compared, and the largest difference
	awk -F '\t' 'BEGIN { as["no-change"] = "no_change"; as["train-mean"] = "mean"; as["additive"] = "additive"
			as["linear-pca"] = "linear_pca" }
		NR == FNR { want[$1, $2, $3] = $4; next }
		FNR == 1 { for (i = 1; i <= NF; i++) name[i] = $i; next }
		{ for (i = 9; i <= NF; i++) { key = name[i]
			if ((as[$5], $2, key) in want) { d = $i - want[as[$5], $2, key]; if (d < 0) d = -d
				n++; if (!(d <= 1e-8 * (1 + $i * $i))) bad++ } } }
		END { exit !(n == '"$2"' && !bad) }' "$tmp/$1.want" "$tmp/$1/predictions.tsv"
}
for name in unseen_singles unseen_doubles; do
	t "the task $name"                   0 ''  evaluate "$tmp/cells.tsv" --scale 1000 --pcs 5 --ridge 0.1 --split "$tmp/$name.split" --out "$tmp/$name" --quiet
done
is 'singles: 4 methods x 2 x 6 scores' golden_task unseen_singles 48
is 'doubles: 4 methods x 3 x 6 scores' golden_task unseen_doubles 72
is 'pairs of seen genes'               test "$(awk -F '\t' '$4 == "test" { print $5 }' "$tmp/unseen_doubles/splits.tsv" | sort -u)" = combo_seen2

# ---- the split of GEARS ----
awk 'NR == 1 { print "condition\tG\tH\tI"; print "ctrl\t1\t2\t3"; print "ctrl\t2\t2\t1"; next }
	{ print $1 "\t1\t" NR "\t2"; print $1 "\t2\t1\t" NR % 5 }' "$golden/gears_tiny/split_perturbations.tsv" >"$tmp/forty.tsv"
t 'forty perturbations, three seeds'   0 '' evaluate "$tmp/forty.tsv" --splits 3 --seed 1 --out "$tmp/forty" --quiet
# split_expected.json: seeds / seed / train, val, test, and test_subgroup / class / names
awk "$level"' depth == 2 { seed = $1 } depth == 3 { part = $1 } depth == 4 { class = $1 } NF != 1 || $1 ~ /[]}]/ { next }
	depth == 4 && part ~ /^(train|val|test)$/ || depth == 5 && part == "test_subgroup" {
	print seed "\t" $1 "\t" (depth == 4 ? part : class) }' "$golden/gears_tiny/split_expected.json" | sort >"$tmp/forty.want"
awk -F '\t' 'NR > 1 { print $2 "\t" $3 "\t" $4 } NR > 1 && $4 == "test" { print $2 "\t" $3 "\t" $5 }' "$tmp/forty/splits.tsv" |
	sort >"$tmp/forty.got"
is 'parts and classes of GEARS'        diff "$tmp/forty.want" "$tmp/forty.got"
is 'of three times forty'              test "$(wc -l <"$tmp/forty.got")" -gt 150

# ---- what is written ----
printf 'gene\tterms\nGENE10\tA,B\nGENE15\tA,B\nGENE17\tB,C\nGENE20\tC\nGENE31\tD\nGENE34\tD,A\nGENE44\tC,D\n' >"$tmp/go.tsv"
all=(--go "$tmp/go.tsv" --scale 1000 --seed 1 --splits 3 --seeds 0 --quiet)
t 'with a graph, one thread'           0 "'GENE59' is not in the graph: it has no neighbour" evaluate "$tmp/cells.tsv" --go "$tmp/go.tsv" --scale 1000 --seed 1 --splits 3 --seeds 0 \
	--out "$tmp/a" --threads 1 --report "$tmp/a.json"
t 'and on three'                       0 '' evaluate "$tmp/cells.tsv" "${all[@]}" --out "$tmp/b" --threads 3
is 'the same bytes'                    diff -r "$tmp/a" "$tmp/b"
is 'the header of every metrics.tsv'   grep -qx $'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn' "$tmp/a/metrics.tsv"
is 'five simple methods'               test "$(cut -f 3 "$tmp/a/metrics.tsv" | sort -u | wc -l)" = 6
is 'a gene without a graph is counted' grep -q '"not_in_graph": 1' "$tmp/a.json"
is 'means are those of the conditions' awk -F '\t' 'NR == FNR { if (FNR > 1 && $7 == 2 && $5 == "additive") { s += $9; n++ }; next }
	$3 == "additive" && $5 == "test" && $6 == 2 && $7 == "mse_top20" { d = $8 - s / n; found = 1; exit !(d * d < 1e-14 && $9 == n) }
	END { if (!found) exit 1 }' "$tmp/a/predictions.tsv" "$tmp/a/metrics.tsv"
is 'differences are split by split'    awk -F '\t' '$5 == "test" && $7 == "mse" { v[$3, $6] = $8 }
	$4 == "additive" && $5 == "no-change" && $2 == "test" && $3 == "mse" { for (s = 1; s <= 3; s++) d += (v["additive", s] - v["no-change", s]) / 3
		d -= $7; found = 1; exit !(d * d < 1e-14 && $6 == 3 && $8 > 0) } END { if (!found) exit 1 }' "$tmp/a/metrics.tsv" "$tmp/a/comparisons.tsv"
t 'genes without a graph left out'     0 "'GENE59' is not in the graph: its conditions are left out" evaluate "$tmp/cells.tsv" --go "$tmp/go.tsv" --unknown drop --seeds 0 \
	--scale 1000 --seed 1 --out "$tmp/drop" --report "$tmp/drop.json"
is 'with both of their conditions'     grep -q '"dropped_for_graph": 2' "$tmp/drop.json"
is 'no table has them'                 test "$(grep -c GENE59 "$tmp/drop/splits.tsv")" = 0
printf 'source,target,importance\nGENE10,GENE15,0.5\nGENE44,GENE31,0.7\n' >"$tmp/edges.csv"
t 'a finished graph'                   0 'graph of 4 genes and 2 edges' evaluate "$tmp/cells.tsv" --seeds 0 --go "$tmp/edges.csv" --scale 1000 --out "$tmp/e"

# ---- counts and a table of conditions ----
awk 'NR == 1 { line = "gene"; for (i = 1; i <= 24; i++) line = line ",c" i; print line }
	{ line = "G" NR; for (i = 1; i <= 24; i++) line = line "," (NR * i * 7) % 5 + (i % 4 == NR % 4) * 9; print line }' <(seq 30) >"$tmp/counts.csv"
awk 'BEGIN { print "barcode\tcondition"; split("ctrl G1+ctrl G2+ctrl G1+G2", c, " "); for (i = 1; i <= 24; i++) print "c" i "\t" c[i % 4 + 1] }' >"$tmp/conditions.tsv"
printf 'condition\tpart\nG1+ctrl\ttrain\nG2+ctrl\ttrain\nG1+G2\ttest\n' >"$tmp/three.split"
t 'counts and conditions'              0 '24 cells of 30 genes: 2 of one gene, 1 of two genes, 6 control cells; counts' evaluate "$tmp/counts.csv" \
	--conditions "$tmp/conditions.tsv" --split "$tmp/three.split" --pcs 2 --out "$tmp/counts"
# The same as one table.
awk -F '[,\t]' 'FNR == 1 { file++ } file == 1 && FNR > 1 { cond[$1] = $2 } file == 2 { for (i = 1; i <= NF; i++) at[FNR, i] = $i; rows = FNR; cols = NF }
	END { line = "condition"; for (g = 2; g <= rows; g++) line = line "\t" at[g, 1]; print line
		for (c = 2; c <= cols; c++) { line = cond[at[1, c]]; for (g = 2; g <= rows; g++) line = line "\t" at[g, c]; print line } }' \
	"$tmp/conditions.tsv" "$tmp/counts.csv" >"$tmp/one.tsv"
t 'the same as one table'              0 '' evaluate "$tmp/one.tsv" --split "$tmp/three.split" --pcs 2 --out "$tmp/one" --quiet
is 'gives the same tables'             diff -r "$tmp/counts" "$tmp/one"

# ---- spellings, small conditions ----
sed '2,$s/^GENE20+GENE59\t/gene59+GENE20\t/' "$tmp/cells.tsv" >"$tmp/spelt.tsv"
t 'a pair in another order and case'   0 '1 perturbed genes took the spelling' evaluate "$tmp/spelt.tsv" --scale 1000 --seed 1 --splits 1 --out "$tmp/spelt"
is 'is the same pair'                  diff <(sed 's/GENE59+GENE20/GENE20+GENE59/' "$tmp/spelt/splits.tsv" | sort) <(evaluate "$tmp/cells.tsv" --scale 1000 \
	--seed 1 --splits 1 --out "$tmp/plain" --quiet; sort "$tmp/plain/splits.tsv")
{ cat "$tmp/cells.tsv"; sed -n '/^ctrl/{s/^ctrl/GENE01+ctrl/p;q}' "$tmp/cells.tsv"; } >"$tmp/single.tsv"
t 'a condition with one cell'          0 "too few cells are left out, 'GENE01.ctrl' the first .1 cells" evaluate "$tmp/single.tsv" --scale 1000 --seed 1 --splits 1 --out "$tmp/single"
is 'changes nothing'                   diff -r "$tmp/single" "$tmp/plain"

# ---- GEARS ----
few=(--go "$tmp/go.tsv" --scale 1000 --seed 1 --width 8 --epochs 8)
t 'GEARS beside the simple methods'    0 'seed 2, gears: epoch . of 8' evaluate "$tmp/cells.tsv" "${few[@]}" --splits 2 --seeds 2 --out "$tmp/g" --threads 1
t 'on two threads'                     0 '' evaluate "$tmp/cells.tsv" "${few[@]}" --splits 2 --seeds 2 --out "$tmp/g2" --threads 2 --quiet
is 'the same bytes of everything'      diff -r "$tmp/g" "$tmp/g2"
is 'a line per training in runs.tsv'   test "$(grep -c $'\tgears\tclean\ttest\t.*\tmse_top20\t' "$tmp/g/runs.tsv")" = 4
is 'the mean of two in metrics.tsv'    awk -F '\t' '$2 == "gears" && $4 == "test" && $5 == 1 && $7 == "mse" { s += $8 / 2 }
	$3 == "gears" && $5 == "test" && $6 == 1 && $7 == "mse" { d = s - $8; found = 1; exit !(d * d < 1e-12) } END { if (!found) exit 1 }' "$tmp/g/runs.tsv" "$tmp/g/metrics.tsv"
is 'seeds differ'                      test "$(grep $'\tgears\tclean\ttest\t1\t.*\tmse\t' "$tmp/g/runs.tsv" | cut -f 8 | sort -u | wc -l)" = 2
t 'as released: one split, one seed'   0 '' evaluate "$tmp/cells.tsv" "${few[@]}" --as-released --out "$tmp/r" --threads 1 --quiet
is 'all of it as-released'             test "$(sed 1d "$tmp/r/metrics.tsv" | cut -f 4,6 | sort -u)" = $'as-released\t1'
t 'the loss that the paper tells of'   0 '' evaluate "$tmp/cells.tsv" "${few[@]}" --loss top20 --splits 1 --seeds 1 --out "$tmp/top" --threads 1 --quiet
is 'learns something else'             test "$(grep $'gears.*test\t1\tmse\t' "$tmp/top/metrics.tsv")" != "$(grep $'gears.*test\t1\tmse\t' "$tmp/g/metrics.tsv")"

# ---- one by one ----
for s in 1 2; do for r in 1 2; do
	t "split $s, training $r by itself" 0 '' evaluate "$tmp/cells.tsv" "${few[@]}" --seed $s --splits 1 --first-seed $r --seeds 1 --out "$tmp/one-$s-$r" --threads 1 --quiet
done; done
t 'four runs joined, in any order'     0 '' perturb-predict join "$tmp"/one-{2-1,1-2,1-1,2-2} --out "$tmp/joined"
# Runs are read with nine digits; the half width of an interval over two splits is 9 times their difference of numbers up to 20.
alike() {
	awk -F '\t' -v OFS='\t' '{ for (i = 1; i <= NF; i++) if (NR == FNR) x[FNR, i] = $i; else { d = $i - x[FNR, i]; if (d < 0) d = -d
		if ($i != x[FNR, i] && !(d <= 3e-7 * (1 + ($i < 0 ? -$i : $i)))) bad = 1; n++ } rows[NR != FNR]++ } END { exit bad || rows[0] != rows[1] || n < 1000 }' "$1" "$2"
}
for f in metrics comparisons runs; do
	is "give the $f of one call"       alike "$tmp/g/$f.tsv" "$tmp/joined/$f.tsv"
done
is 'nothing else is written'           test "$(ls "$tmp/joined")" = $'comparisons.tsv\nmetrics.tsv\nruns.tsv'
sed 's/\tadditive\t\(.*\)\tmse\t[^\t]*/\tadditive\t\1\tmse\t7/' "$tmp/one-1-2/runs.tsv" >"$tmp/other.tsv"; mkdir "$tmp/other" && mv "$tmp/other.tsv" "$tmp/other/runs.tsv"
t 'two numbers for one run'            3 'additive, split 1: mse is .* and 7' perturb-predict join "$tmp/one-1-1" "$tmp/other" --out "$tmp/x"
t 'another variant'                    3 'perturb-seq. .as-released. beside' perturb-predict join "$tmp/one-1-1" "$tmp/r" --out "$tmp/x"
sed '$d' "$tmp/one-1-1/runs.tsv" >"$tmp/other/runs.tsv"
t 'a run that lacks a number'          3 'lacks a metric' perturb-predict join "$tmp/other" --out "$tmp/x"
t 'no run there'                       3 'cannot open' perturb-predict join "$tmp" --out "$tmp/x"
t 'no folder'                          2 '' perturb-predict join --out "$tmp/x"
t 'help of join'                       0 '' perturb-predict join --help

gears=(perturb-predict train "$tmp/cells.tsv" --go "$tmp/go.tsv" --scale 1000 --seed 1 --width 8 --epochs 40 --threads 1)
train() { "${gears[@]}" "$@"; }
t 'a model'                            0 'epoch .* is taken' train --out "$tmp/m"
is 'in two files'                      test "$(ls "$tmp/m")" = $'model.safetensors\ntraining.tsv'
is 'the loss falls'                    awk -F '\t' 'NR == 2 { a = $2 } NR > 2 { b = $2 } END { exit !(b < 0.9 * a) }' "$tmp/m/training.tsv"
is 'one epoch is chosen, the best'     awk -F '\t' 'NR > 1 { if (NR == 2 || $3 < low) { low = $3; best = $1 } n += $4; if ($4) chosen = $1 } END { exit !(n == 1 && chosen == best) }' "$tmp/m/training.tsv"
broken_off() { # killed as soon as there is a state, perhaps in the middle of the next one
	"${gears[@]}" --out "$tmp/k" --quiet & local pid=$! # no function: its shell would be what is killed
	for _ in $(seq 600); do [ -e "$tmp/k/state.safetensors" ] && break; sleep 0.02; done
	kill -9 $pid; wait $pid 2>/dev/null
	[ -e "$tmp/k/state.safetensors" ] && [ ! -e "$tmp/k/model.safetensors" ]
}
is 'a training is broken off'          broken_off
t 'another one does not go on from it' 3 'is of another run' train --epochs 41 --out "$tmp/k"
t 'the same call does'                 0 'goes on after epoch' train --out "$tmp/k"
rm -f "$tmp"/k/*.part
is 'to the same bytes'                 diff -r "$tmp/m" "$tmp/k"
mkdir "$tmp/d"; printf 'no state' >"$tmp/d/state.safetensors"
t 'a damaged state is refused'         3 'state.safetensors' train --out "$tmp/d"
predict() { perturb-predict predict "$@"; }
t 'predictions of a pair and a single' 0 '' predict GENE10+GENE31 GENE44+ctrl --model "$tmp/m" --out "$tmp/p.tsv" --threads 1
is 'every gene of both'                test "$(wc -l <"$tmp/p.tsv")" = 121
is 'change is prediction less control' awk -F '\t' 'NR > 1 { d = $4 - $3 - $5; if (!(d * d < 1e-12)) bad = 1 } END { exit bad }' "$tmp/p.tsv"
is 'the order of a pair does not matter' diff <(predict GENE31+GENE10 --model "$tmp/m" --out /dev/stdout | cut -f 2-) <(grep -v GENE44+ "$tmp/p.tsv" | cut -f 2-)
t 'a gene that the graph lacks'        3 "perturbed gene 'GENE02' is not in the model's graph" predict GENE02+ctrl --model "$tmp/m" --out "$tmp/x"
t 'a condition of another form'        2 "'GENE10' is not" predict GENE10 --model "$tmp/m" --out "$tmp/x"
t 'no model there'                     3 'cannot open' predict GENE10+ctrl --model "$tmp/none" --out "$tmp/x"
head -c 3000 "$tmp/m/model.safetensors" >"$tmp/d/model.safetensors"
t 'a model that is cut'                3 'model.safetensors' predict GENE10+ctrl --model "$tmp/d" --out "$tmp/x"
t 'no --go'                            2 'go is missing' perturb-predict train "$tmp/cells.tsv" --out "$tmp/x"
t 'no --model'                         2 'model is missing' predict GENE10+ctrl --out "$tmp/x"

# ---- a set with known truth ----
made=(--genes 120 --perturbed 12 --pairs 12 --families 3 --graph-genes 40 --controls 150 --each 40 --seed 3 --quiet)
t 'a simulated set'                    0 '' perturb-predict simulate "${made[@]}" --out "$tmp/s" --threads 1
t 'on three threads'                   0 '' perturb-predict simulate "${made[@]}" --out "$tmp/s3" --threads 3
is 'the same bytes of it'              diff -r "$tmp/s" "$tmp/s3"
t 'from another seed'                  0 '' perturb-predict simulate "${made[@]}" --seed 4 --out "$tmp/s4" --threads 1
is 'another set'                       test "$(cat "$tmp/s/effects.tsv")" != "$(cat "$tmp/s4/effects.tsv")"
is 'a third of the pairs each'         test "$(cut -f 2 "$tmp/s/conditions.tsv" | sort | uniq -c | awk '{ print $2 $1 }' | tr '\n' ' ')" = \
	'additive4 buffering4 control1 kind1 single12 synergistic4 '
is 'a pair is its factor times the sum' awk -F '\t' 'FNR == 1 { file++; next } file == 1 { factor[$1] = $3; kind[$1] = $2; next } { v[$1, $2] = $3; gene[$2]; if (kind[$1] != "single") pair[$1] }
	END { for (c in pair) for (g in gene) { split(c, p, "+"); d = v[c, g] - factor[c] * (v[p[1] "+ctrl", g] + v[p[2] "+ctrl", g]); n++; if (!(d * d < 1e-12)) bad = 1 } exit bad || n < 1000 }' \
	"$tmp/s/conditions.tsv" "$tmp/s/effects.tsv"
printf 'token\tname\tspecies\n0\t<pad>\t-\n1\tGATA4\thuman\n2\tActb\tmouse\n3\t-\thuman\n4\tTBX5\thuman\n' >"$tmp/names"
t 'genes with names of a vocabulary'   0 '' perturb-predict simulate "${made[@]}" --names "$tmp/names" --out "$tmp/sv" --threads 1
is 'the first have them everywhere'    test "$(cut -f 1 "$tmp/sv/go.tsv" | sed -n 2,4p | tr '\n' ' ')$(cut -f 1 "$tmp/sv/conditions.tsv" | grep -cE '^(GATA4|TBX5)[+]ctrl')" = 'GATA4 TBX5 SIM000003 2'
t 'and evaluate finds them measured'   0 '' evaluate "$tmp/sv/cells.h5ad" --go "$tmp/sv/go.tsv" --seeds 0 --splits 1 --out "$tmp/svs" --report "$tmp/sv.json" --quiet
is 'all of them'                       grep -q '"not_measured": 0' "$tmp/sv.json"
printf 'name\nA+B\n' >"$tmp/n1"; printf 'name\nA\nA\n' >"$tmp/n2"; printf 'gene\nA\n' >"$tmp/n3"
t 'a name with a plus'                 3 "'A.B' is no name for a simulated gene" perturb-predict simulate --names "$tmp/n1" --out "$tmp/x"
t 'a name twice'                       3 "'A' is named twice" perturb-predict simulate --names "$tmp/n2" --out "$tmp/x"
t 'a table without names'              3 'name' perturb-predict simulate --names "$tmp/n3" --out "$tmp/x"
t 'more pairs than there are'          2 '12 pairs of 3 genes: there are 3' perturb-predict simulate --genes 10 --perturbed 3 --pairs 12 --out "$tmp/x"
awk -F '\t' 'NR == 1 { print "condition\tpart" } NR > 1 { print $1 "\t" ($2 == "single" ? "train" : "test") }' "$tmp/s/conditions.tsv" >"$tmp/pairs.split"
t 'pairs from their singles'           0 '40 genes and' evaluate "$tmp/s/cells.h5ad" --go "$tmp/s/go.tsv" --split "$tmp/pairs.split" --seeds 0 --out "$tmp/sp"
# kind METHOD KIND: mean squared error over the 20 genes of the pairs of a kind
kind() { awk -F '\t' -v m="$1" -v k="$2" 'NR == FNR { kind[$1] = $2; next } $5 == m && kind[$2] == k { s += $9; n++ } END { print s / n }' "$tmp/s/conditions.tsv" "$tmp/sp/predictions.tsv"; }
is 'the additive model fits additive pairs' awk -v a="$(kind additive additive)" -v s="$(kind additive synergistic)" -v b="$(kind additive buffering)" -v no="$(kind no-change additive)" \
	'BEGIN { exit !(3 * a < s && a < b && 5 * a < no) }'
t 'single perturbations by neighbours' 0 '' evaluate "$tmp/s/cells.h5ad" --go "$tmp/s/go.tsv" --splits 3 --seed 1 --seeds 0 --out "$tmp/sn" --quiet
is 'the nearest gene beats no change'  awk -F '\t' '$5 == "unseen_single" && $7 == "pearson_delta" { s[$3] += $8 } END { exit !(s["nearest-go"] > s["no-change"] + 1) }' "$tmp/sn/metrics.tsv"

# ---- measured pairs ----
# Effects 1, 2, 4, 8, 16 of five genes, 0.1 for a gene with itself, A+B 3 more and D+E 3 less than their sum, C+D not measured.
pairs() { # SEPARATOR
	awk -v s="$1" 'BEGIN { n = split("A B C D E", g, " "); line = "x"; for (i = 1; i <= n; i++) line = line s g[i]; print line
		for (i = 1; i <= n; i++) { line = g[i]; for (j = 1; j <= n; j++) { v = i == j ? 0.1 * i : 2 ^ (i - 1) + 2 ^ (j - 1)
			if (i * j == 2 && i != j) v += 3; if (i * j == 20 && i != j) v -= 3; if (i * j == 12) v = ""; line = line s v }; print line } }'
}
pairs , >"$tmp/pairs.csv"
pairs "$(printf '\t')" | gzip >"$tmp/pairs.tsv.gz"
awk -F , -v OFS=, 'NR > 1 { for (i = 2; i <= NF; i++) $i = ($1 $i == "A" $2) || 0 } { print }' "$tmp/pairs.csv" | sed 's/^x,.*/x,A,B,C,D,E/; s/^A,.*/A,0,9,0,1,-1/; s/^B,.*/B,9,0,0,-1,1/; s/^C,.*/C,0,0,0,1,0/; s/^D,.*/D,1,-1,1,0,-9/; s/^E,.*/E,-1,1,0,-9,0/' >"$tmp/scores.csv"
printf 'guide_target,average_fitness,chosen_guide_fitness\nA,9,1\nB,9,2\nC,9,4\nD,9,8\nE,9,16\nnegative,0,\n' >"$tmp/singles.csv"
printf 'name,corr_sum,corr_fit,corr_first,corr_second\nA_B,0.5,0.6,0.2,0.4\nE_D,0.7,0.8,0.3,0.1\nA_C,0.9,0.9,0.8,0.7\nA_Z,0.1,0.1,0,0.1\n' >"$tmp/fits.csv"
inter() { perturb-predict interactions "$@"; }
t 'sums of effects of measured pairs'  0 'additive-singles .* over 9 pairs' inter "$tmp/pairs.csv" --scores "$tmp/scores.csv" --strong 1.5 --singles "$tmp/singles.csv" \
	--fits "$tmp/fits.csv" --dataset five --out "$tmp/gi"
value() { awk -F '\t' -v m="$2" -v s="$3" -v k="$4" 'NR > 1 && $3 == m && $5 == s && $7 == k { print $8, $9 }' "$tmp/$1/metrics.tsv"; }
is 'singles err by 3 in two pairs of nine' test "$(value gi additive-singles test rmse)" = '1.41421356 9'
is 'one of them is synergistic'        test "$(value gi additive-singles synergistic bias)" = '3 1'
is 'one is buffering'                  test "$(value gi additive-singles buffering bias)" = '-3 1'
is 'all others are sums'               test "$(value gi additive-singles near-additive rmse)" = '0 7'
is 'each pair is told without itself'  awk -F '\t' '$4 == "additive" && $2 == "A+B" { found = $6 != $5 } $4 == "train-mean" && $2 == "A+B" { d = $6 - (112 - 6) / 8; mean = d * d < 1e-12 }
	END { exit !(found && mean) }' "$tmp/gi/predictions.tsv"
is 'a gene with itself is half of what it says' test "$(awk -F '\t' '$4 == "genes-with-themselves" && $2 == "A+E" { print $6 }' "$tmp/gi/predictions.tsv")" = 0.3
is 'expression by class, a pair without scores in none' test "$(value gi additive test pearson_of_expression)/$(value gi stronger-single buffering pearson_of_expression)/$(value gi weighted-sum \
	near-additive pearson_of_expression)" = '0.55 4/0.4 1/0.9 1'
is 'a mean has no correlation'         test -z "$(value gi train-mean test pearson)"
t 'the same from another form'         0 '' inter "$tmp/pairs.tsv.gz" --scores "$tmp/scores.csv" --strong 1.5 --singles "$tmp/singles.csv" --fits "$tmp/fits.csv" --dataset five --out "$tmp/gi2" --quiet
is 'is the same'                       diff -r "$tmp/gi" "$tmp/gi2"
gi=$SHARED/data/benchmarks/norman_gi
if [ -e "$gi/processed_perturbseq_fitnesses.csv" ]; then
	t 'pairs of Norman et al. 2019'    0 '' inter "$gi/processed_perturbseq_fitnesses.csv" --scores "$gi/processed_perturbseq_emap.csv" --fits "$gi/regr_fits_final.csv" --out "$tmp/norman" --quiet
	# By NumPy: lstsq on all other pairs for every pair.
	is 'as NumPy has them'             test "$(value norman additive test pearson)/$(value norman additive test rmse)" = "0.916433497 5356/0.0731140821 5356"
else
	skip 'pairs of Norman et al. 2019' 'no shared data'
fi
badp() { inter "$@" --out "$tmp/x" --quiet; }
sed 's/^B,6/B,7/' "$tmp/pairs.csv" >"$tmp/p1"
sed 's/^D,9/D,nine/; s/^A,\(.*\),9,/A,\1,nine,/' "$tmp/pairs.csv" >"$tmp/p2"
sed '3{h;d};4{G}' "$tmp/pairs.csv" >"$tmp/p3"
sed '$d' "$tmp/pairs.csv" >"$tmp/p4"
sed '1s/,E/,D/' "$tmp/pairs.csv" >"$tmp/p5"
printf 'x,A,B,C\nA,,1,\nB,1,,2\nC,,2,\n' >"$tmp/p6"
sed '1s/.*/x,V,W,X,Y,Z/; 2,$s/^A/V/; s/^B/W/; s/^C/X/; s/^D/Y/; s/^E/Z/' "$tmp/scores.csv" >"$tmp/p7"
printf 'gene,fitness\nA,1\nA,2\nB,1\n' >"$tmp/p8.csv"
printf 'name,corr_sum,corr_fit,corr_first,corr_second\nA_B,1.5,0,0,0\n' >"$tmp/p9.csv"
t 'two numbers for one pair'           3 "pair 'B', 'A' has two numbers" badp "$tmp/p1"
t 'a word for a fitness'               3 "'nine' is no number" badp "$tmp/p2"
t 'genes in another order'             3 "gene 'C', where the header has 'B'" badp "$tmp/p3"
t 'a row too few'                      3 '5 genes in the header and 4 rows' badp "$tmp/p4"
t 'a gene twice in the header'         3 "gene 'D' stands there twice" badp "$tmp/p5"
t 'pairs that tell no effects'         3 'do not tell the effects' badp "$tmp/p6"
t 'scores of other genes'              3 'scores no pair of these genes' badp "$tmp/pairs.csv" --scores "$tmp/p7"
t 'a single fitness twice'             3 "gene 'A' stands there twice" badp "$tmp/pairs.csv" --singles "$tmp/p8.csv"
t 'a table without fitness'            3 'no columns gene, fitness' badp "$tmp/pairs.csv" --singles "$tmp/fits.csv"
t 'no correlation'                     3 "corr_sum '1.5' is no correlation" badp "$tmp/pairs.csv" --fits "$tmp/p9.csv"
t 'no threshold'                       2 'strong is above 0' badp "$tmp/pairs.csv" --strong 0
t 'help of interactions'               0 ''                    perturb-predict interactions --help

# ---- refused ----
bad() { evaluate "$@" --out "$tmp/x"; }
grep -v '^ctrl' "$tmp/cells.tsv" >"$tmp/bare.tsv"
sed '5s/^[^\t]*/GENE10_GENE44/' "$tmp/cells.tsv" >"$tmp/form.tsv"
sed '5s/^[^\t]*/GENE10+GENE44+GENE59/' "$tmp/cells.tsv" >"$tmp/three.tsv"
sed '5s/\t[0-9]*$/\tmany/' "$tmp/cells.tsv" >"$tmp/word.tsv"
sed '1s/condition/state/' "$tmp/cells.tsv" >"$tmp/column.tsv"
printf 'gene\tterms\nX\tA\n' >"$tmp/in1"
printf 'gene\tterms\nX\tA\nX\tB\n' >"$tmp/in2"
printf 'source\ttarget\timportance\nX\tY\t1\nX\tY\t1\n' >"$tmp/in3"
printf 'source\ttarget\timportance\nX\tY\t-1\n' >"$tmp/in4"
printf 'condition\tpart\nX+ctrl\ttrain\n' >"$tmp/in5"
printf 'condition\tpart\nGENE10+ctrl\tsome\n' >"$tmp/in6"
printf 'condition\tpart\nGENE10+ctrl\ttrain\n' >"$tmp/in7"
cp "$SRC/README.md" "$tmp/text.h5ad"
sed '2s/\t6\t/\t6.5\t/' "$tmp/cells.tsv" >"$tmp/half.tsv"
t 'no control cells'                   3 'no control cells: no condition is .ctrl.' bad "$tmp/bare.tsv"
t 'a condition of another form'        3 "cell 4: condition 'GENE10_GENE44' is not" bad "$tmp/form.tsv"
t 'three genes'                        3 "cell 4: condition 'GENE10.GENE44.GENE59' is not" bad "$tmp/three.tsv"
t 'a word for a number'                3 "line 5, gene 'GENE59': 'many' is no number" bad "$tmp/word.tsv"
t 'no column of conditions'            3 "no column 'condition'" bad "$tmp/column.tsv"
t 'which another name finds'           0 ''                    evaluate "$tmp/column.tsv" --condition state --splits 1 --seed 1 --out "$tmp/named" --quiet
t 'fractions that are called counts'   3 'not whole: no counts' bad "$tmp/half.tsv" --values counts
t 'no gene is in the graph'            3 'no perturbed gene is in the graph' bad "$tmp/cells.tsv" --unknown drop --go "$tmp/in1"
t 'a gene twice in the graph'          3 "gene 'X' stands there twice" bad "$tmp/cells.tsv" --go "$tmp/in2"
t 'an edge twice'                      3 "the edge from 'X' to 'Y' stands" bad "$tmp/cells.tsv" --go "$tmp/in3"
t 'a weight that is none'              3 "importance '-1' is no number above 0" bad "$tmp/cells.tsv" --go "$tmp/in4"
t 'another table'                      3 'neither columns gene, terms' bad "$tmp/cells.tsv" --go "$tmp/cells.tsv"
t 'a split of other names'             3 'names no condition of the set' bad "$tmp/cells.tsv" --split "$tmp/in5"
t 'a split of other words'             3 "part 'some' is not train" bad "$tmp/cells.tsv" --split "$tmp/in6"
t 'a split without a test'             3 'to train and 0 to test' bad "$tmp/cells.tsv" --split "$tmp/in7"
t 'no such file'                       3 'No such file'        bad "$tmp/none.h5ad"
t 'no HDF5'                            3 'cannot read'         bad "$tmp/text.h5ad"
t 'no splits'                          2 'splits is 1'         bad "$tmp/cells.tsv" --splits 0
t 'no --out'                           2 'out is missing'      evaluate "$tmp/cells.tsv"
t 'another word'                       2 "does not know 'guess'" perturb-predict guess
is 'and nothing was written'           test ! -e "$tmp/x"
t 'help'                               0 ''                    perturb-predict --help
t 'no epochs'                          2 'epochs is 1' train --epochs 0 --out "$tmp/x"
t 'help of train'                      0 ''                    perturb-predict train --help
t 'help of simulate'                   0 ''                    perturb-predict simulate --help
t 'help of predict'                    0 ''                    perturb-predict predict --help
t 'help of evaluate'                   0 ''                    perturb-predict evaluate --help
end
