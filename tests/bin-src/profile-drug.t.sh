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
printf '\xef\xbb\xbfD1,CCO\r\n' >"$tmp/mark.csv"
t 'a byte order mark'                  0 ''                   profile-drug features "$tmp/mark.csv" --out "$tmp/mark"
is 'is no part of a name'              diff "$tmp/mark/atoms.tsv" "$tmp/one/atoms.tsv"
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
is 'no state is left'                  test -z "$(find "$tmp/a" -name 'state*')"
broken_off() { # STATE COMMAND...: killed as soon as there is a state
	local state=$1; shift
	"$@" & local pid=$! # no function: its shell would be what is killed
	for _ in $(seq 1200); do compgen -G "$state" >/dev/null && break; sleep 0.01; done
	kill -9 $pid; wait $pid 2>/dev/null
	compgen -G "$state" >/dev/null
}
long=(profile-drug evaluate "${set_of[@]}" --splits 1 --seeds 2 --epochs 30 --width 8 --heads 2 --batch 8 --lr 1e-2 --seed 1 --threads 1)
t 'a longer evaluation'                0 '' "${long[@]}" --out "$tmp/w"
is 'the same is broken off'            broken_off "$tmp/k/state-*.safetensors" "${long[@]}" --out "$tmp/k" --quiet
t 'another one does not go on from it' 3 'is of another run'   "${long[@]}" --epochs 31 --out "$tmp/k"
t 'the same call does'                 0 'goes on after epoch' "${long[@]}" --out "$tmp/k"
rm -f "$tmp"/k/*.part
is 'to the same bytes'                 diff -r "$tmp/w" "$tmp/k"

# ---- vectors of genes ----
# A .npy of 24 of the 30 genes, four numbers each.
cut -d , -f 1 "$tmp/s/genes.csv" | head -n 24 >"$tmp/names"
{ printf '\x93NUMPY\x01\x00\x76\x00'; printf '%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (24, 4), }"
	for i in $(seq 24); do printf '\x00\x00\x80\x3f\x00\x00\x00\xbf'; if [ $((i % 2)) = 0 ]; then printf '\x00\x00\x80\xbf\x00\x00\x00\x40'; else printf '\x00\x00\x20\x41\x00\x00\x00\x3f'; fi; done; } >"$tmp/v.npy"
with=(--vectors "$tmp/v.npy,$tmp/names")
t 'with vectors'                       0 '24 of 30 genes have a vector of 4' "${run[@]::2}" "${set_of[@]}" "${with[@]}" --splits 1 --seeds 1 --epochs 2 --width 8 --heads 2 --projected 3 --batch 8 --seed 1 --out "$tmp/v" --report "$tmp/v.json"
is 'they and those of other genes'     test "$(cut -f 3 "$tmp/v/metrics.tsv" | sort -u | grep -c '^deepce')" = 3
is 'differ from each other and from none' test "$(awk -F '\t' '$3 ~ /^deepce/ && $5 == "test_last" && $7 == "rmse" { print $8 }' "$tmp/v/metrics.tsv" | sort -u | wc -l)" = 3
is 'how many have one is said'         grep -q '"with_a_vector": 24' "$tmp/v.json"
t 'as released'                        0 '' "${run[@]}" "${with[@]}" --as-released --out "$tmp/r"
is 'is a variant, without shuffled'    test "$(awk -F '\t' 'NR > 1 && $3 ~ /^deepce/ { print $3, $4 }' "$tmp/r/metrics.tsv" | sort -u | tr '\n' ';')" = 'deepce as-released;deepce+genecompass as-released;'
# Several trainings: side by side on three threads, one after the other on one.
for variant in clean as-released; do
	many=(profile-drug evaluate "${set_of[@]}" "${with[@]}" --splits 1 --seeds 2 --epochs 2 --width 8 --heads 2 --projected 3 --batch 8 --seed 1 --quiet)
	[ $variant = clean ] || many+=(--as-released)
	t "$variant trainings one by one"     0 '' "${many[@]}" --threads 1 --out "$tmp/alone-$variant"
	t "$variant, side by side"            0 '' "${many[@]}" --threads 3 --out "$tmp/side-$variant"
	is "$variant, the same bytes"         diff -r "$tmp/alone-$variant" "$tmp/side-$variant"
done
t 'trainings that fail'                4 'the loss is no number' "${many[@]}" --lr 1e300 --threads 3 --out "$tmp/fails"
head -n 10 "$tmp/names" >"$tmp/few.names"
{ head -c 10 "$tmp/v.npy"; printf '%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (10, 4), }"; tail -c +129 "$tmp/v.npy" | head -c 160; } >"$tmp/few.npy"
t 'vectors of too few genes'           3 'has vectors of 10 of the 30 genes, a share of 0.333: below' "${run[@]}" --vectors "$tmp/few.npy,$tmp/few.names" --out "$tmp/x"
t 'which may be asked for'             0 '' "${run[@]}" --vectors "$tmp/few.npy,$tmp/few.names" --least-overlap 0.3 --seeds 0 --out "$tmp/x1"

# ---- a model of one's own ----
fit=(profile-drug train "${set_of[@]}" --epochs 3 --width 8 --heads 2 --batch 8 --lr 1e-2 --seed 1 --quiet)
t 'train'                              0 '' "${fit[@]}" --threads 1 --out "$tmp/m"
t 'and on three threads'               0 '' "${fit[@]}" --threads 3 --out "$tmp/m3"
is 'the same bytes'                    diff -r "$tmp/m" "$tmp/m3"
is 'one epoch of three is taken'       test "$(awk -F '\t' 'NR > 1 { n++; k += $4 } END { print n, k }' "$tmp/m/training.tsv")" = '3 1'
slow=("${fit[@]}" --epochs 40 --threads 1)
t 'a longer training'                  0 '' "${slow[@]}" --out "$tmp/ml"
is 'the same is broken off'            broken_off "$tmp/mk/state.safetensors" "${slow[@]}" --out "$tmp/mk"
t 'and goes on'                        0 'goes on after epoch' profile-drug train "${slow[@]:2:5}" --epochs 40 --width 8 --heads 2 --batch 8 --lr 1e-2 --seed 1 --threads 1 --out "$tmp/mk"
rm -f "$tmp"/mk/*.part
is 'to the same bytes'                 diff -r "$tmp/ml" "$tmp/mk"
printf 'NEW1,CCCCO\nNEW2,c1ccccc1N\n' >"$tmp/new.csv"
guess() { profile-drug predict "$@" --threads 1; }
mv "$tmp/m" "$tmp/elsewhere"
t 'predict drugs that nobody knows'    0 '2 drugs in 4 cell lines and doses, 30 genes' guess "$tmp/new.csv" --model "$tmp/elsewhere" --out "$tmp/p.csv"
is 'in the layout of signatures'       test "$(head -n 1 "$tmp/p.csv")" = "$(head -n 1 "$tmp/s/signatures.csv")"
is 'one of each cell line and dose'    test "$(tail -n +2 "$tmp/p.csv" | cut -d , -f 2,4,5 | sort -u | wc -l)" = 8
t 'some of them'                       0 '' guess "$tmp/new.csv" --model "$tmp/elsewhere" --cells A375 --doses '10.0 um' --out "$tmp/p1.csv" --quiet
is 'have the same numbers'             test "$(tail -n +2 "$tmp/p1.csv")" = "$(grep ',A375,10.0 um,' "$tmp/p.csv")"
t 'others, with a warning'             0 'no signature of YAPC at 10.0 um' guess "$tmp/new.csv" --model "$tmp/elsewhere" --cells YAPC --doses '10.0 um' --out "$tmp/p2.csv"
t 'train with vectors'                 0 '' "${fit[@]}" "${with[@]}" --projected 3 --out "$tmp/mv"
t 'predict, without the vectors'       0 '' guess "$tmp/new.csv" --model "$tmp/mv" --out "$tmp/pv.csv" --quiet
isnt() { ! "$@"; }
is 'another prediction'                isnt cmp -s "$tmp/p.csv" "$tmp/pv.csv"
# What predict says of the test drugs is what evaluate scored (same split, same seed).
t 'evaluate with one seed'             0 '' profile-drug evaluate "${set_of[@]}" --splits 1 --seeds 1 --epochs 3 --width 8 --heads 2 --batch 8 --lr 1e-2 --seed 1 --quiet --out "$tmp/e"
t 'predict the known drugs'            0 '' guess "$tmp/s/drugs.csv" --model "$tmp/elsewhere" --out "$tmp/pk.csv" --quiet
awk -F '\t' '$5 == "deepce" { print $1 "\t" $2 "," $3 "," $4 "\t" $9 }' "$tmp/e/predictions.tsv" >"$tmp/scored"
is 'equals what evaluate scored'       awk -F '[\t]' 'FILENAME == ARGV[1] { sig[$1] = $2; want[$1] = $3; n++; next }
	FNR == 1 { next } { split($0, c, ","); k = c[2] "," c[4] "," c[5]
	if (FILENAME == ARGV[2]) { for (i = 6; i <= 35; i++) guess[k, i] = c[i] }
	else if (c[1] in sig) { s = 0; for (i = 6; i <= 35; i++) s += (c[i] - guess[k, i]) ^ 2; d = sqrt(s / 30) - want[c[1]]; if (d * d > 1e-9) exit 1; met++ } }
	END { exit !(met == n && n > 0) }' "$tmp/scored" "$tmp/pk.csv" "$tmp/s/signatures.csv"
t 'dev alone, to train'                0 '' profile-drug train "$tmp/s/signatures.csv" --dev "$tmp/s/signatures.csv" --drugs "$tmp/s/drugs.csv" --genes "$tmp/s/genes.csv" --epochs 1 --width 8 --heads 2 --batch 40 --seed 1 --out "$tmp/md" --quiet

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
sed '3s/,[^,]*$/,1e400/' "$tmp/s/signatures.csv" >"$tmp/large.csv"
t 'a number beyond all'                3 "'1e400' is no number" bad "$tmp/large.csv" "${rest[@]}"
t 'no column of cell lines'            3 "no column 'cell_id'" bad "$tmp/column.csv" "${rest[@]}"
t 'another time'                       3 'none of 240 rows is' bad "$tmp/hours.csv" "${rest[@]}"
t 'a gene without a vector'            3 'of the signatures is not in' bad "$tmp/s/signatures.csv" --drugs "$tmp/s/drugs.csv" --genes "$tmp/few.csv"
t 'a vector that is too short'         3 'line 3 has 4 numbers, not 5' bad "$tmp/s/signatures.csv" --drugs "$tmp/s/drugs.csv" --genes "$tmp/short.csv"
t 'more drugs than there are'          3 '99 are asked for, 30 are there' profile-drug simulate --drugs "$tmp/drugs.csv" --genes "$tmp/genes.csv" --n-drugs 99 --n-genes 30 --out "$tmp/x"
t 'dev without test'                   2 'go together'         bad "$tmp/s/signatures.csv" "${rest[@]}" --dev "$tmp/dev.csv"
t 'as released without vectors'        2 'wants --vectors'     bad "$tmp/s/signatures.csv" "${rest[@]}" --as-released
t 'heads that do not fit'              2 'multiple of --heads' bad "$tmp/s/signatures.csv" "${rest[@]}" --width 6
is 'and nothing was written'           test ! -e "$tmp/x/metrics.tsv"
# ---- models that are none ----
mkdir "$tmp/empty" "$tmp/cut" "$tmp/changed" "$tmp/nan" "$tmp/other"
model=$tmp/elsewhere/model.safetensors
head -c 20000 "$model" >"$tmp/cut/model.safetensors"
LC_ALL=C sed 's/"gene_embed.weight"/"gene_other.weight"/' "$model" >"$tmp/changed/model.safetensors"
{ head -c -8 "$model"; printf '\xff\xff\xff\xff\xff\xff\xff\x7f'; } >"$tmp/nan/model.safetensors"
LC_ALL=C sed 's/genecompass profile-drug 1/genecompass profile-drug 9/' "$model" >"$tmp/other/model.safetensors"
from() { guess "$tmp/new.csv" --model "$1" --out "$tmp/nothing.csv"; }
t 'a folder without a model'           3 'model.safetensors'   from "$tmp/empty"
t 'a model that is cut off'            3 'cut/model.safetensors' from "$tmp/cut"
t 'a model without a tensor'           3 "'gene_embed.weight' is missing" from "$tmp/changed"
t 'a model with a NaN'                 3 'not finite'          from "$tmp/nan"
t 'a model of another format'          3 'is no model of profile-drug train' from "$tmp/other"
t 'a cell line that is none'           3 "cell line 'A37' is not one of the model's 7" guess "$tmp/new.csv" --model "$tmp/elsewhere" --cells A37 --out "$tmp/nothing.csv"
t 'a dose out of range'                3 "dose '100 um' is not one of the model's 6" guess "$tmp/new.csv" --model "$tmp/elsewhere" --doses '100 um' --out "$tmp/nothing.csv"
t 'a SMILES to predict for that cannot be read' 3 "SMILES 'C\\('" guess "$tmp/bad.csv" --model "$tmp/elsewhere" --out "$tmp/nothing.csv"
is 'and nothing was predicted'         test ! -e "$tmp/nothing.csv"
t 'the same left out'                  0 '1 drugs are left out' guess "$tmp/bad.csv" --model "$tmp/elsewhere" --skip-bad --out "$tmp/some.csv"
t 'no model'                           2 'model is missing'    profile-drug predict "$tmp/new.csv" --out "$tmp/nothing.csv"
mkdir "$tmp/x2" && printf 'x' >"$tmp/x2/state.safetensors"
t 'a damaged state'                    3 'state.safetensors'   "${fit[@]}" --out "$tmp/x2"
t 'is begun anew when asked to'        0 ''                    "${fit[@]}" --restart-if-changed --threads 1 --out "$tmp/x2"
is 'to the same bytes'                 diff -r "$tmp/elsewhere" "$tmp/x2"
for part in train predict evaluate simulate features; do
	t "help of $part"                    0 '' profile-drug "$part" --help
done
end
