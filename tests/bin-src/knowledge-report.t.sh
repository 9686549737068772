#!/bin/bash
# knowledge-report: the numbers of tables whose worth is known beforehand; the same bytes; refusals.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
corpus_files || exit 1
vocab --tables "$tmp/tables" --out "$tmp/vocab.tsv" --quiet || exit 1
corpus_families
# A network that has nothing to do with them.
awk 'BEGIN { print "source,target"; for (i = 1; i <= 200; i++) for (j = 1; j <= 4; j++)
	print "G" i ",G" ((i * 37 + j * j * 53) % 240 + 1) }' >"$tmp/net.csv"
knowledge-embed family --vocab "$tmp/vocab.tsv" --tables "$tmp/tables" --hgnc "$tmp/hgnc.json" --dim 32 --passes 60 \
	--out "$tmp/family.st" --pairs-out "$tmp/family.pairs" --quiet || exit 1
knowledge-embed grn --vocab "$tmp/vocab.tsv" --tables "$tmp/tables" --pairs "$tmp/net.csv" --dim 16 --passes 5 \
	--out "$tmp/grn.st" --pairs-out "$tmp/grn.pairs" --quiet || exit 1
rep=(knowledge-report "$tmp/family.st" "$tmp/grn.st" --vocab "$tmp/vocab.tsv" --relation "family=$tmp/family.pairs" "grn=$tmp/grn.pairs" --dim 16 --passes 30 --quiet)
t 'two tables, two relations'           0 '' "${rep[@]}" --out "$tmp/w" --threads 1
t 'again with two threads'              0 '' "${rep[@]}" --out "$tmp/w2" --threads 2
is 'the same bytes'                     cmp "$tmp/w/worth.tsv" "$tmp/w2/worth.tsv"
# worth KIND SPECIES MEASURE OF ROWS TEST: an awk condition on the value x
# shellcheck disable=SC2317  # called by `is`
worth() { awk -F'\t' -v k="$1" -v s="$2" -v m="$3" -v o="$4" -v r="$5" '$1 == k && $2 == s && $3 == m && $4 == o && $5 == r { x = $6; n++; good = ('"$6"') }
	END { if (n != 1 || !good) { print "value " x ", rows " n > "/dev/stderr"; exit 1 } }' "$tmp/w/worth.tsv"; }
is 'families are found again'           worth family human recovery family table 'x > 0.8'
is 'not in a shuffled copy'             worth family human recovery family shuffled 'x < 0.15'
is 'nor in random rows'                 worth family human recovery family random 'x < 0.15'
is 'mouse families too'                 worth family mouse recovery family table 'x > 0.8'
is 'nor by a network without them'      worth grn human recovery family table 'x < 0.2'
is 'held-out pairs of families are told' worth family human 'link AUROC' - 'gene2vec cosine' 'x > 0.9'
is 'and by common neighbours'           worth family human 'link AUROC' - 'Adamic-Adar' 'x > 0.95'
is 'but not by degree'                  worth family human 'link AUROC' - 'degree product' 'x < 0.75'
is 'coverage counts the genes'          worth family human coverage - - 'x > 0.857 && x < 0.8572'
is 'kinds without relation disagree'    worth grn human agreement family table 'x < 0.2 && x > -0.2'
is 'no mouse gene is in the network'    worth grn mouse coverage - - 'x == 0'
printf 'Gene1,Gene2\nG1,G2\nG2,G1\nG1,G13\nG3,nobody\n' >"$tmp/truth.csv"
t 'a truth beside them'                 0 '' "${rep[@]}" --truth "made=$tmp/truth.csv" --out "$tmp/w"
is 'half of its known pairs are in the families' worth family human 'truth in relation' made - 'x == 0.5'
is 'and stands in the leakage ledger'   grep -qxP 'made\thuman\tfamily\t2\t1\t0.5' "$tmp/w/leakage.tsv"
knowledge-embed family --vocab "$tmp/vocab.tsv" --tables "$tmp/tables" --hgnc "$tmp/hgnc.json" --dim 32 --passes 1 --out "$tmp/poor.st" --quiet
t 'a baseline beside a table'           0 '' "${rep[@]}" --beside "$tmp/poor.st" --out "$tmp/w"
is 'is asked the same'                  bash -c "[ \$(grep -cP '^family\thuman\trecovery\tfamily\t(table|baseline)\t' '$tmp/w/worth.tsv') = 2 ]"
is 'and found poorer'                   bash -c "awk -F'\t' '/^family\thuman\trecovery\tfamily\t/ { x[\$5] = \$6 } END { exit !(x[\"baseline\"] < x[\"table\"]) }' '$tmp/w/worth.tsv'"
t 'two baselines of a kind'             2 'another table of kind family' "${rep[@]}" --beside "$tmp/poor.st" "$tmp/poor.st" --out "$tmp/x"
t 'a truth without a name'              2 'is not NAME=FILE' "${rep[@]}" --truth "$tmp/truth.csv" --out "$tmp/x"
t 'no vocabulary'                       2 '--vocab is missing' knowledge-report "$tmp/family.st" --out "$tmp/x"
t 'no output'                           2 '--out is missing' knowledge-report "$tmp/family.st" --vocab "$tmp/vocab.tsv"
t 'a table twice'                       2 'another table of kind family' knowledge-report "$tmp/family.st" "$tmp/family.st" --vocab "$tmp/vocab.tsv" --out "$tmp/x"
t 'a relation without a kind'           2 'is not KIND=FILE' knowledge-report "$tmp/family.st" --vocab "$tmp/vocab.tsv" --relation "$tmp/family.pairs" --out "$tmp/x"
printf 'G1\tg2\n' >"$tmp/mixed.pairs"
t 'a pair across the species'           3 'not two genes of one' knowledge-report "$tmp/family.st" --vocab "$tmp/vocab.tsv" --relation "family=$tmp/mixed.pairs" --out "$tmp/x"
printf 'G1\n' >"$tmp/one.pairs"
t 'a line of one name'                  3 'line 1: not two names' knowledge-report "$tmp/family.st" --vocab "$tmp/vocab.tsv" --relation "family=$tmp/one.pairs" --out "$tmp/x"
t 'a table that is none'                3 'net.csv' knowledge-report "$tmp/net.csv" --vocab "$tmp/vocab.tsv" --out "$tmp/x"
is 'none of them left a file'           test ! -e "$tmp/x"
end
