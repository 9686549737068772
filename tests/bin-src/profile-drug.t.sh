#!/bin/bash
# profile-drug: drugs that cannot be read, splits over drugs, equal bytes, scores that come out of the
# predictions, and everything that is refused.
. "$SRC/tests/tool.sh"
printf 'D1,CCO\n' >"$tmp/one.csv"
profile-drug features "$tmp/one.csv" --out "$tmp/one" 2>"$tmp/why"
if [ $? = 77 ]; then
	is 'without Indigo it says so'     grep -q 'built without Indigo' "$tmp/why"
	skip 'all else of profile-drug' 'built without Indigo'
	end
fi

# ---- features ----
is 'atoms of ethanol'                  test "$(cut -f 3-6 "$tmp/one/atoms.tsv" | tail -n 3 | tr '\t\n' '  ')" = 'C 1 3 3 C 2 2 2 O 1 1 1 '
is 'and its bonds'                     test "$(wc -l <"$tmp/one/bonds.tsv")" = 3
printf 'D1,CCO\nD2,C(\nD3,c1ccccc1\n' >"$tmp/bad.csv"
printf 'D1,CCO\nD1,CCN\n' >"$tmp/twice.csv"
printf 'CCO\n' >"$tmp/bare.csv"
: >"$tmp/none.csv"
t 'a SMILES that cannot be read'       3 "bad.csv': line 2: SMILES 'C\(': a branch" profile-drug features "$tmp/bad.csv" --out "$tmp/x"
t 'skipped only when that is said'     0 '1 drugs are left out' profile-drug features "$tmp/bad.csv" --skip-bad --out "$tmp/skipped"
is 'the others are there'              test "$(cut -f 1 "$tmp/skipped/atoms.tsv" | sort -u | wc -l)" = 3
t 'a drug twice'                       3 "drug 'D1' stands there twice" profile-drug features "$tmp/twice.csv" --out "$tmp/x"
t 'a line without a name'              3 "line 1 is not 'id,SMILES'" profile-drug features "$tmp/bare.csv" --out "$tmp/x"
t 'no drug'                            3 'there is no drug'    profile-drug features "$tmp/none.csv" --out "$tmp/x"

# ---- a made-up set ----
awk 'BEGIN { split("C N O S F Cl", tail, " "); split("C CC CCC c1ccccc1 C1CCNCC1", head, " ")
	for (i = 1; i <= 5; i++) for (j = 1; j <= 6; j++) print "D" i j "," (tail[j] ~ /[FC]l?$/ ? tail[j] "C" : tail[j]) "C(=O)" head[i] }' >"$tmp/drugs.csv"
awk 'BEGIN { for (i = 1; i <= 40; i++) { printf "G%d", i; for (k = 1; k <= 5; k++) printf ",%.3f", sin(i * k); print "" } }' >"$tmp/genes.csv"
sim=(profile-drug simulate --drugs "$tmp/drugs.csv" --genes "$tmp/genes.csv" --n-drugs 20 --n-genes 30 --seed 3 --quiet)
t 'simulate'                           0 '' "${sim[@]}" --out "$tmp/s"
t 'and again'                          0 '' "${sim[@]}" --out "$tmp/s2"
is 'the same bytes'                    diff -r "$tmp/s" "$tmp/s2"
is '20 drugs x 2 x 2 x 3 replicates'   test "$(wc -l <"$tmp/s/signatures.csv")" = 241
set_of=("$tmp/s/signatures.csv" --drugs "$tmp/s/drugs.csv" --genes "$tmp/s/genes.csv")
run=(profile-drug evaluate "${set_of[@]}" --splits 2 --seeds 1 --epochs 2 --width 8 --heads 2 --batch 8 --lr 1e-2 --seed 1 --quiet)
t 'evaluate on one thread'             0 '' "${run[@]}" --threads 1 --out "$tmp/a" --report "$tmp/a.json"
t 'and on three'                       0 '' "${run[@]}" --threads 3 --out "$tmp/b"
is 'the same bytes'                    diff -r "$tmp/a" "$tmp/b"
is 'of three replicates two leave'     grep -q '"other_replicates": 160' "$tmp/a.json"
is 'the header of every metrics.tsv'   grep -qx $'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn' "$tmp/a/metrics.tsv"
is 'five methods at two epochs'        test "$(awk -F '\t' '$7 == "rmse" && $6 == 1 { print $3, $5 }' "$tmp/a/metrics.tsv" | sort -u | wc -l)" = 10
is 'no drug is in two parts'           awk -F '\t' '$1 == 1 { if ($2 in part) exit 1; part[$2] = $3; n[$3]++ } END { exit !(n["train"] == 12 && n["val"] == 4 && n["test"] == 4) }' "$tmp/a/splits.tsv"
is 'RMSE is that of the predictions'   awk -F '\t' 'NR == FNR { if ($5 == "ridge" && $7 == 1) { s += $9 * $9; n++ }; next }
	$3 == "ridge" && $5 == "test" && $6 == 1 && $7 == "rmse" { d = $8 - sqrt(s / n); found = 1; exit !(d * d < 1e-12 && $9 == n) }
	END { if (!found) exit 1 }' "$tmp/a/predictions.tsv" "$tmp/a/metrics.tsv"
is 'and correlations are means'        awk -F '\t' 'NR == FNR { if ($5 == "knn" && $7 == 2) { s += $10; n++ }; next }
	$3 == "knn" && $5 == "test" && $6 == 2 && $7 == "pearson" { d = $8 - s / n; found = 1; exit !(d * d < 1e-12) }
	END { if (!found) exit 1 }' "$tmp/a/predictions.tsv" "$tmp/a/metrics.tsv"
# Without noise every replicate is the truth.
t 'a set without noise'                0 '' "${sim[@]}" --noise 0 --out "$tmp/clean"
is 'its rows are the truth'            test "$(sed 's/^[^,]*,//' "$tmp/clean/signatures.csv" | sort -u | md5sum)" = "$(sed 's/^[^,]*,//' "$tmp/clean/truth.csv" | sort -u | md5sum)"
# The published three files.
awk -F , 'NR == 1 || $2 ~ /[12]$/' "$tmp/s/signatures.csv" >"$tmp/dev.csv"
awk -F , 'NR == 1 || $2 ~ /[34]$/' "$tmp/s/signatures.csv" >"$tmp/test.csv"
awk -F , 'NR == 1 || $2 !~ /[1234]$/' "$tmp/s/signatures.csv" >"$tmp/train.csv"
t 'three files'                        0 '' profile-drug evaluate "$tmp/train.csv" --dev "$tmp/dev.csv" --test "$tmp/test.csv" --drugs "$tmp/s/drugs.csv" --genes "$tmp/s/genes.csv" --seeds 0 --seed 1 --out "$tmp/three" --quiet
is 'keep their parts'                  test "$(awk -F '\t' '$3 == "test" { print $2 }' "$tmp/three/splits.tsv" | sort)" = "$(awk -F , 'NR > 1 { print $2 }' "$tmp/test.csv" | sort -u)"

# ---- refused ----
bad() { profile-drug evaluate "$@" --seeds 0 --out "$tmp/x"; }
rest=(--drugs "$tmp/s/drugs.csv" --genes "$tmp/s/genes.csv")
head -n 5 "$tmp/s/genes.csv" >"$tmp/few.csv"
sed '3s/,[^,]*$//' "$tmp/s/genes.csv" >"$tmp/short.csv"
sed '3s/,[^,]*$/,many/' "$tmp/s/signatures.csv" >"$tmp/word.csv"
sed 's/_24H/_6H/' "$tmp/s/signatures.csv" >"$tmp/hours.csv"
sed '1s/cell_id/cell/' "$tmp/s/signatures.csv" >"$tmp/column.csv"
t 'a word for a number'                3 "'many' is no number" bad "$tmp/word.csv" "${rest[@]}"
t 'no column of cell lines'            3 "no column 'cell_id'" bad "$tmp/column.csv" "${rest[@]}"
t 'another time'                       3 'none of 240 rows is' bad "$tmp/hours.csv" "${rest[@]}"
t 'a gene without a vector'            3 'of the signatures is not in' bad "$tmp/s/signatures.csv" --drugs "$tmp/s/drugs.csv" --genes "$tmp/few.csv"
t 'a vector that is too short'         3 'line 3 has 4 numbers, not 5' bad "$tmp/s/signatures.csv" --drugs "$tmp/s/drugs.csv" --genes "$tmp/short.csv"
t 'more drugs than there are'          3 '99 are asked for, 30 are there' profile-drug simulate --drugs "$tmp/drugs.csv" --genes "$tmp/genes.csv" --n-drugs 99 --n-genes 30 --out "$tmp/x"
t 'dev without test'                   2 'go together'         bad "$tmp/s/signatures.csv" "${rest[@]}" --dev "$tmp/dev.csv"
t 'as released without vectors'        2 'wants --vectors'     bad "$tmp/s/signatures.csv" "${rest[@]}" --as-released
t 'heads that do not fit'              2 'multiple of --heads' bad "$tmp/s/signatures.csv" "${rest[@]}" --width 6
is 'and nothing was written'           test ! -e "$tmp/x/metrics.tsv"
for part in evaluate simulate features; do
	t "help of $part"                    0 '' profile-drug "$part" --help
done
end
