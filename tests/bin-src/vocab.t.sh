#!/bin/bash
# vocab: the dictionary from tables, with and without tokens of their own.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
corpus_tables
token_of() { awk -F'\t' -v id="$1" '$2 == id { print $1, $6 }' "$tmp/v.tsv"; }

t 'a dictionary'                     0 '562 tokens' vocab --tables "$tmp/tables" --out "$tmp/v.tsv" --report "$tmp/v.json"
is 'begins with the specials'        test "$(head -3 "$tmp/v.tsv" | cut -f1,2 | tr '\t\n' '  ')" = 'token id 0 <pad> 1 <mask> '
is 'human genes from 2'              test "$(token_of ENSG00000000001)" = '2 282'
is 'mouse genes behind'              test "$(token_of ENSMUSG00000000001)" = '282 2'
is 'one of two homologs is left out' test "$(token_of ENSMUSG00000000249) $(token_of ENSMUSG00000000250)" = '530 250 531 -1'
is 'and counted'                     test "$(number "$tmp/v.json" n_homologs_not_one_to_one)" = 1
is 'no gene outside the core list'   test -z "$(token_of ENSG00000000281)"
mkdir "$tmp/given"; cp "$tmp/tables/aliases.tsv" "$tmp/given"
awk 'BEGIN { FS = OFS = "\t" } $1 == "ENSG00000000009" { $6 = 2 } $1 == "ENSMUSG00000000009" { $6 = 3 } 1' "$tmp/tables/genes.tsv" >"$tmp/given/genes.tsv"
t 'tokens of the tables are kept'    0 '558 core genes without' vocab --tables "$tmp/given" --out "$tmp/v.tsv"
is 'and no others given'             test "$(token_of ENSG00000000009), $(wc -l <"$tmp/v.tsv")" = '2 3, 5'
sed -i 's/\t3\t-\tENSG00000000009$/\t4\t-\tENSG00000000009/' "$tmp/given/genes.tsv"
t 'tokens with a gap'                3 'no gene of the tables has token 3' vocab --tables "$tmp/given" --out "$tmp/x"
is 'and nothing was written'         test ! -e "$tmp/x"
t 'no tables'                        2 'tables is missing' vocab --out "$tmp/x"
t 'a full disk'                      1 'cannot write'      vocab --tables "$tmp/tables" --out /dev/full
if [ -n "${SHARED:-}" ] && [ -d "$SHARED/golden/corpus/tables" ]; then
	t 'the dictionary of the golden tables' 0 '' vocab --tables "$SHARED/golden/corpus/tables" --out "$tmp/v.tsv"
	is 'is the one they hold'        diff <(zcat "$SHARED/golden/corpus/tables/genes.tsv.gz" | awk -F'\t' 'NR > 1 && $6 >= 0 { print $6, $1 }' | sort -n) <(awk -F'\t' '$1 ~ /^[0-9]/ && $1 > 1 { print $1, $2 }' "$tmp/v.tsv")
else
	skip 'the dictionary of the golden tables' 'no shared data'
fi
end
