#!/bin/bash
# dose: a simulated set with known curves, methods on the dose that was held out, models, the authors' tables, and
# everything that is refused.
. "$SRC/tests/tool.sh"
evaluate() { dose evaluate "$@"; }

# ---- a set with known truth ----
made=(--genes 60 --drugs 3 --types 2 --families 6 --controls 60 --each 16 --quiet)
t 'a simulated set'                    0 '' dose simulate "${made[@]}" --seed 3 --out "$tmp/s" --threads 1
t 'on three threads'                   0 '' dose simulate "${made[@]}" --seed 3 --out "$tmp/s3" --threads 3
is 'the same bytes'                    diff -r "$tmp/s" "$tmp/s3"
t 'from another seed'                  0 '' dose simulate "${made[@]}" --seed 4 --out "$tmp/s4"
is 'other curves'                      test "$(cat "$tmp/s/curves.tsv")" != "$(cat "$tmp/s4/curves.tsv")"
is 'a drug moves some genes, not all'  awk -F '\t' 'NR > 1 { n[$1]++ } END { for (d in n) { k++; if (n[d] >= 60) bad = 1 } exit !(k >= 2 && !bad) }' "$tmp/s/curves.tsv"
cells=$tmp/s/cells.h5ad
set=("$cells" --cell-type cell_type)
know=(--truth "$tmp/s/curves.tsv" --vectors "$tmp/s/vectors.h5ad")

# ---- simple methods ----
t 'simple methods'                     0 'held-out dose: R2 of the changed' evaluate "${set[@]}" --truth "$tmp/s/curves.tsv" --epochs 0 --seed 1 --seeds 3 --out "$tmp/a" --threads 1 --report "$tmp/a.json"
t 'on two threads'                     0 '' evaluate "${set[@]}" --truth "$tmp/s/curves.tsv" --epochs 0 --seed 1 --seeds 3 --out "$tmp/a2" --threads 2 --quiet
is 'the same tables'                   diff -r "$tmp/a" "$tmp/a2"
is 'the header of every metrics.tsv'   grep -qx $'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn' "$tmp/a/metrics.tsv"
is 'five methods, three parts'         test "$(cut -f 3,5 "$tmp/a/metrics.tsv" | sed 1d | sort -u | wc -l)" = 15
is 'the held-out dose and no other'    test "$(awk -F '\t' '$5 == "ood" { print $8 }' "$tmp/a/conditions.tsv" | sort -u)" = 0.5
is 'of three drugs in two types'       test "$(awk -F '\t' '$2 == "linear" && $4 == 1 && $5 == "ood"' "$tmp/a/conditions.tsv" | wc -l)" = 6
is 'its dose is in no other part'      test "$(awk -F '\t' '$5 != "ood" && $8 == 0.5' "$tmp/a/conditions.tsv" | wc -l)" = 0
is 'the report says it'                grep -q '"held_out": 0.5' "$tmp/a.json"
is 'metrics are means of conditions'   awk -F '\t' 'NR == FNR { if ($2 == "linear" && $4 == 2 && $5 == "ood") { s += $10; n++ }; next }
	$3 == "linear" && $5 == "ood" && $6 == 2 && $7 == "r2_mean" { d = $8 - s / n; found = 1; exit !(d * d < 1e-14 && $9 == n) } END { if (!found) exit 1 }' "$tmp/a/conditions.tsv" "$tmp/a/metrics.tsv"
is 'differences are seed by seed'      awk -F '\t' '$5 == "ood" && $7 == "mse_de" { v[$3, $6] = $8 }
	$4 == "interpolate" && $6 == "no-change" && $7 == "clean" && $2 == "ood" && $3 == "mse_de" { for (s = 1; s <= 3; s++) d += (v["interpolate", s] - v["no-change", s]) / 3
		d -= $9; found = 1; exit !(d * d < 1e-14 && $8 == 3 && $10 > 0) } END { if (!found) exit 1 }' "$tmp/a/metrics.tsv" "$tmp/a/comparisons.tsv"
mean() { awk -F '\t' -v m="$1" -v k="$2" '$3 == m && $5 == "ood" && $7 == k { s += $8; n++ } END { print s / n }' "$tmp/a/metrics.tsv"; }
is 'interpolation beats no change'     awk -v a="$(mean interpolate r2_mean_de)" -v b="$(mean no-change r2_mean_de)" 'BEGIN { exit !(a > b) }'
is 'and follows the true curves'       awk -v a="$(mean interpolate pearson_truth)" -v b="$(mean no-change pearson_truth)" 'BEGIN { exit !(a > b + 0.3) }'
t 'another dose held out'              0 '' evaluate "${set[@]}" --hold-out 0.05 --epochs 0 --seed 1 --seeds 1 --out "$tmp/h" --quiet
is 'is that one'                       test "$(awk -F '\t' '$5 == "ood" { print $8 }' "$tmp/h/conditions.tsv" | sort -u)" = 0.05
t 'the genes that vary most'           0 'of 60 genes the 20' evaluate "${set[@]}" --genes 20 --epochs 0 --seed 1 --seeds 1 --out "$tmp/g"

# ---- CPA ----
small=(--epochs 12 --check-every 4 --batch 32 --width 8 --latent 4 --seed 1)
t 'CPA, with vectors and shuffled'     0 'cpa.shuffled: epoch' evaluate "${set[@]}" "${know[@]}" "${small[@]}" --seeds 2 --out "$tmp/n" --threads 1
t 'on two threads'                     0 '' evaluate "${set[@]}" "${know[@]}" "${small[@]}" --seeds 2 --out "$tmp/n2" --threads 2 --quiet
is 'the same bytes of everything'      diff -r "$tmp/n" "$tmp/n2"
is 'eight methods'                     test "$(cut -f 3 "$tmp/n/metrics.tsv" | sed 1d | sort -u | wc -l)" = 8
is 'spread of every pair of methods'   test "$(awk -F '\t' '$2 == "ood" && $3 == "r2_mean"' "$tmp/n/spread.tsv" | wc -l)" = 28
t 'vectors as published, too'          0 '' evaluate "${set[@]}" "${know[@]}" "${small[@]}" --as-released --seeds 1 --out "$tmp/r" --quiet
is 'are named so'                      test "$(awk -F '\t' '$4 == "as-released" { print $3 }' "$tmp/r/metrics.tsv" | sort -u)" = cpa+genecompass
is 'and change no other number'        diff <(grep -v as-released "$tmp/r/metrics.tsv") <(awk -F '\t' 'NR == 1 || $6 == 1' "$tmp/n/metrics.tsv")

train=(dose train "${set[@]}" --vectors "$tmp/s/vectors.h5ad" --epochs 60 --check-every 5 --batch 32 --width 16 --latent 8 --lr 2e-3 --seed 1 --threads 1)
t 'a model'                            0 'are taken' "${train[@]}" --out "$tmp/m"
is 'in two files'                      test "$(ls "$tmp/m")" = $'model.safetensors\ntraining.tsv'
is 'the loss falls'                    awk -F '\t' 'NR == 2 { a = $2 } NR > 2 { b = $2 } END { exit !(b < a) }' "$tmp/m/training.tsv"
is 'one check is chosen, the best'     awk -F '\t' 'NR > 1 { if (NR == 2 || $4 > top) { top = $4; best = $1 } n += $5; if ($5) chosen = $1 } END { exit !(n == 1 && chosen == best) }' "$tmp/m/training.tsv"
broken_off() { # killed as soon as there is a state, perhaps in the middle of the next one
	"${train[@]}" --out "$tmp/k" --quiet & local pid=$! # no function: its shell would be what is killed
	for _ in $(seq 600); do [ -e "$tmp/k/state.safetensors" ] && break; sleep 0.02; done
	kill -9 $pid; wait $pid 2>/dev/null
	[ -e "$tmp/k/state.safetensors" ] && [ ! -e "$tmp/k/model.safetensors" ]
}
is 'a training is broken off'          broken_off
t 'another one does not go on from it' 3 'is of another run' "${train[@]}" --epochs 61 --out "$tmp/k"
t 'the same call does'                 0 'goes on after epoch' "${train[@]}" --out "$tmp/k"
rm -f "$tmp"/k/*.part
is 'to the same bytes'                 diff -r "$tmp/m" "$tmp/k"
# Vectors as FILE.npy,GENES: two numbers of each of the 60 genes of the set.
awk -F '\t' 'NR > 1 && !($2 in seen) { seen[$2]; print $2 }' "$tmp/s/curves.tsv" >"$tmp/genes.txt"
{ printf '\x93NUMPY\x01\x00\x76\x00'; printf '%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': ($(wc -l <"$tmp/genes.txt"), 2), }"
	while read -r _; do printf '\x00\x00\x80\x3f\x00\x00\x00\xbf'; done <"$tmp/genes.txt"; } >"$tmp/v.npy"
t 'vectors without names in their file' 0 '' dose train "${set[@]}" --vectors "$tmp/v.npy,$tmp/genes.txt" --epochs 1 --batch 32 --width 8 --latent 4 --seed 1 --out "$tmp/npy" --quiet
mkdir "$tmp/d"; printf 'no state' >"$tmp/d/state.safetensors"
t 'a damaged state is refused'         3 'state.safetensors' "${train[@]}" --out "$tmp/d"
predict() { dose predict "$@"; }
t 'predictions of two doses'           0 '' predict drug_1=0.5 drug_2=0 --model "$tmp/m" --out "$tmp/p.tsv" --threads 1
is 'every gene in both types'          test "$(wc -l <"$tmp/p.tsv")" = 241
is 'change is prediction less control' awk -F '\t' 'NR > 1 { d = $6 - $5 - $7; if (!(d * d < 1e-12)) bad = 1 } END { exit bad }' "$tmp/p.tsv"
is 'dose 0 changes nothing'            awk -F '\t' '$3 == 0 && $7 != 0 { bad = 1 } END { exit bad }' "$tmp/p.tsv"
is 'a variance is above 0'             awk -F '\t' 'NR > 1 && !($8 > 0) { bad = 1 } END { exit bad }' "$tmp/p.tsv"
t 'in one type'                        0 '' predict drug_1=0.5 --cell-type type_2 --model "$tmp/m" --out "$tmp/p2.tsv" --threads 3
is 'the same numbers'                  diff <(sed 1d "$tmp/p2.tsv") <(awk -F '\t' '$1 == "type_2" && $2 == "drug_1"' "$tmp/p.tsv")
t 'a dose above all that it saw'       0 'above the largest dose' predict drug_1=3 --model "$tmp/m" --out "$tmp/p3.tsv"
t 'a drug that it never saw'           3 "drug 'Dex' is not one of" predict Dex=0.5 --model "$tmp/m" --out "$tmp/x"
t 'a type that it never saw'           3 "cell type 'type_9' is not" predict drug_1=0.5 --cell-type type_9 --model "$tmp/m" --out "$tmp/x"
t 'a word for a dose'                  2 "'drug_1=much' is not DRUG=DOSE" predict drug_1=much --model "$tmp/m" --out "$tmp/x"
t 'a dose below 0'                     2 'a dose is not below 0' predict drug_1=-1 --model "$tmp/m" --out "$tmp/x"
head -c 3000 "$tmp/m/model.safetensors" >"$tmp/d/model.safetensors"
t 'a model that is cut'                3 'model.safetensors' predict drug_1=0.5 --model "$tmp/d" --out "$tmp/x"
t 'no --model'                         2 'model is missing' predict drug_1=0.5 --out "$tmp/x"

# ---- the authors' tables: the numbers of a made-up pair by hand ----
head=',cell_type,condition,dose_val,R2_mean,R2_mean_DE,R2_var,R2_var_DE,model,num_cells,benchmark,split'
{ echo "$head"; printf '%s\n' '0,x,A,0.1,0.9,0.8,0.1,-1,one,40,CPA,train' '1,x,A,0.1,0.7,0.6,0.2,-2,one,10,CPA,test' \
	'2,x,A,1.0,0.5,0.4,0.3,-3,one,50,CPA,test' '3,x,A,0.5,0.6,0.2,0.4,-4,one,99,CPA,ood'; } >"$tmp/one.csv"
sed 's/,one,/,two,/; s/,0\.5,0\.4,/,0.1,0.4,/' "$tmp/one.csv" >"$tmp/two.csv"
t 'two tables again'                   0 'model two, 4 conditions' dose released "$tmp/one.csv" "$tmp/two.csv" --out "$tmp/rel"
is 'means, and those above 30 cells'   grep -q $'^one\ttest\tR2_mean\t2\t0.6\t.*\t0.5\t1$' "$tmp/rel/summary.tsv"
is 'all splits together'               grep -q $'^one\tall\tR2_mean\t4\t0.675\t' "$tmp/rel/summary.tsv"
is 'variances are compared in pairs'   awk -F '\t' '$1 == "two" && $2 == "one" && $3 == "all" && $4 == "R2_mean" { found = 1; exit !($5 == 4 && $8 > 1 && $9 < 1 && $14 < 0) } END { if (!found) exit 1 }' "$tmp/rel/spread.tsv"
sed '3s/,test$/,train/' "$tmp/one.csv" >"$tmp/dup.csv"
sed '2s/0\.9/good/' "$tmp/one.csv" >"$tmp/word.csv"
sed '2s/0\.9/1.2/' "$tmp/one.csv" >"$tmp/high.csv"
sed '2s/,one,/,three,/' "$tmp/one.csv" >"$tmp/mixed.csv"
sed '2s/train$/fit/' "$tmp/one.csv" >"$tmp/split.csv"
sed '1s/R2_var_DE/other/' "$tmp/one.csv" >"$tmp/column.csv"
rel() { dose released "$1" --out "$tmp/x"; }
t 'a condition twice'                  3 'stands there twice'  rel "$tmp/dup.csv"
t 'a word for a score'                 3 "line 2: 'good' is no R2_mean" rel "$tmp/word.csv"
t 'a score above 1'                    3 "'1.2' is no R2_mean" rel "$tmp/high.csv"
t 'two models in one table'            3 "model 'one' beside 'three'" rel "$tmp/mixed.csv"
t 'another split'                      3 "split 'fit' is not"  rel "$tmp/split.csv"
t 'a column that is missing'           3 "no column 'R2_var_DE'" rel "$tmp/column.csv"

# ---- refused ----
bad() { evaluate "$@" --epochs 0 --out "$tmp/x"; }
dose_bytes() { LC_ALL=C sed "s/\x7b\x14\xae\x47\xe1\x7a\x74\x3f/$1/g" "$cells"; } # 0.005 as it lies in the file
dose_bytes '\x7b\x14\xae\x47\xe1\x7a\x74\xbf' >"$tmp/negative.h5ad"
dose_bytes '\x00\x00\x00\x00\x00\x00\xf8\x7f' >"$tmp/nan.h5ad"
# Drugs at one dose: 0.001, 0.005, 0.01 and so on become 1, its bytes 00 00 00 00 00 00 f0 3f.
LC_ALL=C sed 's/\xfc\xa9\xf1\xd2\x4d\x62\x50\x3f\|\x7b\x14\xae\x47\xe1\x7a\x74\x3f\|\x7b\x14\xae\x47\xe1\x7a\x84\x3f\|\x9a\x99\x99\x99\x99\x99\xa9\x3f\|\x9a\x99\x99\x99\x99\x99\xb9\x3f\|\x00\x00\x00\x00\x00\x00\xe0\x3f/\x00\x00\x00\x00\x00\x00\xf0\x3f/g' "$cells" >"$tmp/single.h5ad"
dose simulate --genes 6 --drugs 1 --families 2 --controls 4 --each 2 --seed 1 --out "$tmp/few" --quiet
t 'a dose below 0'                     3 'has the dose -0.005, which is none' bad "$tmp/negative.h5ad"
t 'a dose that is no number'           3 'has no dose'         bad "$tmp/nan.h5ad"
t 'no such drug column'                3 "no obs column 'what'" bad "$cells" --drug what
t 'no such dose column'                3 "no obs column 'what'" bad "$cells" --dose what
t 'no such type column'                3 "no obs column 'what'" bad "$cells" --cell-type what
t 'texts for doses'                    3 'is no number'        bad "$cells" --dose cell_type
t 'numbers for drugs'                  3 "'dose' holds no texts" bad "$cells" --drug dose
t 'drugs with one dose'                3 "has one dose: that is no dose response" bad "$tmp/single.h5ad"
t 'are left out when asked'            3 'but for drugs that are left out' bad "$tmp/single.h5ad" --drop-single
t 'a dose that nobody had'             3 'dose 0.7 held out: no cell is held out' bad "$cells" --hold-out 0.7
t 'another split column'               3 "part 'type_1' is not train" bad "$cells" --split cell_type
t 'vectors of other genes'             3 'has vectors of 6 of the 60 genes, a share of 0.1: below' bad "$cells" --vectors "$tmp/few/vectors.h5ad"
t 'which may be asked for'             0 '6 of 60 genes have a vector' evaluate "${set[@]}" --vectors "$tmp/few/vectors.h5ad" --least-overlap 0.05 --epochs 0 --seed 1 --seeds 1 --out "$tmp/few/scores"
t 'no such truth'                      3 'No such file'        bad "$cells" --truth "$tmp/none.tsv"
t 'no such file'                       3 'none.h5ad'           bad "$tmp/none.h5ad"
t 'no HDF5'                            3 'cannot read'         bad "$SRC/README.md"
t 'as published without vectors'       2 'as-released is about' bad "$cells" --as-released
t 'a word for a held-out dose'         2 'hold-out wants a dose' bad "$cells" --hold-out most
t 'no seeds'                           2 'seeds is 1'          bad "$cells" --seeds 0
t 'no epochs to train'                 2 'epochs is at least 1' dose train "$cells" --epochs 0 --out "$tmp/x"
t 'no --out'                           2 'out is missing'      evaluate "$cells"
t 'no drugs to simulate'               2 '0 drugs'             dose simulate --drugs 0 --out "$tmp/x"
t 'another word'                       2 "does not know 'guess'" dose guess
is 'and nothing was written'           test ! -e "$tmp/x"
for part in '' train predict evaluate simulate released; do
	t "help of dose $part"             0 ''                    dose $part --help
done
end
