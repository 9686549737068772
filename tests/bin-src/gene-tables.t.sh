#!/bin/bash
# Gene tables from whatever is there: everything, the poorest case, damaged files.
. "$SRC/tests/tool.sh"
simulate --out "$tmp/sim" --cells 40 --genes 600 --tfs 24 --types 3 --seed 5 --quiet || exit 1
in=$tmp/sim/mirror truth=$tmp/sim/truth
g() { gene-tables --inputs "$1" --out "$2" --quiet "${@:3}"; }
genes() { # DIR SPECIES COLUMN VALUE: number of genes
	awk -F'\t' -v s="$2" -v c="$3" -v v="$4" 'NR > 1 && $3 == s && $c == v { n++ } END { print n + 0 }' "$1/genes.tsv"
}

t 'every table of the simulator'        0 ''   g "$in" "$tmp/a" --report "$tmp/a.json"
t 'and again'                           0 ''   g "$in" "$tmp/b" --threads 3
is 'the same bytes'                     diff -r "$tmp/a" "$tmp/b"
is 'the header is the golden one'       bash -c "head -1 $tmp/a/genes.tsv | grep -qP '^id\tname\tspecies\tbiotype\tcore\ttoken\tmedian\thomolog$'"
agree() { # every gene's core flag and homolog are what the simulator says
	join -t$'\t' <(tail -n +2 "$tmp/a/genes.tsv" | cut -f1,5,8 | LC_ALL=C sort) \
		<(tail -n +2 "$truth/genes.tsv" | awk -F'\t' '{ print $1 "\t" $8 "\t" ($3 == "mouse" ? $11 : "-") }' | LC_ALL=C sort) >"$tmp/joined"
	[ "$(wc -l <"$tmp/joined")" = 1200 ] || return 1
	awk -F'\t' '$2 != $4 { print "core", $0; bad = 1 } $3 != $5 && $3 != "-" { print "homolog", $0; bad = 1 } END { exit bad }' "$tmp/joined"
}
is 'core and homologs are the true ones' agree
lost() { # a true pair may only be missing where a gene of it is not core
	join -t$'\t' <(tail -n +2 "$tmp/a/genes.tsv" | awk -F'\t' '$3 == 1 { print $1 "\t" $8 "\t" $5 }' | LC_ALL=C sort) \
		<(awk -F'\t' '$6 == 1 { print $3 "\t" $1 }' "$truth/homologs.tsv" | LC_ALL=C sort) >"$tmp/pairs"
	awk -F'\t' 'NR == FNR { core[$1] = $5; next } $2 == "-" && $3 == 1 && core[$4] == 1 { bad = 1; print } END { exit bad }' "$tmp/a/genes.tsv" "$tmp/pairs"
}
is 'and none of core genes is lost'     lost
names() { # each column of the csv (older names, mangled) leads to the gene
	zcat "$in/sc_mouse/sim_m2/counts.csv.gz" | tail -n +2 | cut -d, -f1 | tr -d '"' | grep -v '\.1$' | LC_ALL=C sort >"$tmp/columns"
	(awk -F'\t' 'NR > 1 && $3 == 1 { print $2 }' "$tmp/a/genes.tsv"; awk -F'\t' 'NR > 1 && $3 == 1 { print $1 }' "$tmp/a/aliases.tsv") | LC_ALL=C sort >"$tmp/known"
	[ -s "$tmp/columns" ] && [ -z "$(LC_ALL=C comm -23 "$tmp/columns" "$tmp/known")" ]
}
is 'every name of an old csv is known'  names
is 'no alias is a name of now'          bash -c "[ -z \"\$(comm -12 <(awk -F'\t' '{ print \$3 \" \" \$2 }' $tmp/a/genes.tsv | sort) <(awk -F'\t' '{ print \$3 \" \" \$1 }' $tmp/a/aliases.tsv | tail -n +2 | sort))\" ]"
is 'names are unique in a species'      bash -c "[ -z \"\$(cut -f2,3 $tmp/a/genes.tsv | sort | uniq -d)\" ]"
is 'the report names the sources'       grep -q '"present": true' "$tmp/a.json"

# The poorest case: ids and names of human genes, symbols of homologs.
poor=$tmp/poor/gene_reference
mkdir -p "$poor/celltypist" "$poor/homologs"
cp "$in/gene_reference/celltypist/GENCODEv44_Gene_id2name.csv" "$poor/celltypist"
cp "$in/gene_reference/homologs/Ensembl105_Human2Mouse_Genes.csv" "$poor/homologs"
t 'only ids, names and symbol pairs'    0 ''   g "$tmp/poor" "$tmp/p" --report "$tmp/p.json"
is 'the report says that it guessed'    grep -q '"biotypes": "guessed"' "$tmp/p.json"
is 'and what was not there'             grep -q '"present": false' "$tmp/p.json"
mm_ids() { awk -F'\t' '$3 == 1 { n++; good += $1 == "mm:" $2 } END { exit !(n > 300 && good == n) }' "$tmp/p/genes.tsv"; }
is 'mouse ids say that they are none'   mm_ids
same_pairs() { # by names, the pairs of the rich tables (of genes that are core in both)
	for d in a p; do
		awk -F'\t' 'NR == FNR { name[$1] = $2; next } $3 == 1 && $8 != "-" { print $2, name[$8] }' "$tmp/$d/genes.tsv" "$tmp/$d/genes.tsv" | LC_ALL=C sort >"$tmp/$d.pairs"
	done
	[ "$(LC_ALL=C comm -12 "$tmp/a.pairs" "$tmp/p.pairs" | wc -l)" -ge "$(($(wc -l <"$tmp/a.pairs") * 95 / 100))" ]
}
is 'homologs are found by symbols too'  same_pairs
rm "$poor/homologs/"*
t 'human ids and names alone'           0 ''   g "$tmp/poor" "$tmp/h"
is 'make human tables'                  bash -c "[ $(genes "$tmp/h" 0 5 1) -gt 400 ] && [ $(genes "$tmp/h" 1 5 1) = 0 ]"

# Damage.
bad() { rm -rf "$tmp/bad"; mkdir -p "$tmp/bad/gene_reference/$(dirname "$1")"; cat >"$tmp/bad/gene_reference/$1"; }
printf 'ENSG1,A\nENSG2\n' | bad celltypist/GENCODEv44_Gene_id2name.csv
t 'a line of one field'                 3 'line 2 has 1 fields, not 2'  g "$tmp/bad" "$tmp/x"
printf 'ENSG1,A\nENSG2,B' | gzip -n | head -c 30 | bad cellxgene_gencode/genes_homo_sapiens.csv.gz
t 'a cut gzip'                          3 'cut or damaged'              g "$tmp/bad" "$tmp/x"
printf 'gene_id,biotype\nE1,x\n' | gzip -n | bad sclucid_biotypes/human_ensembl_latest.csv.gz
t 'a missing column'                    3 "no column 'gene_name'"       g "$tmp/bad" "$tmp/x"
printf '{"response": 3}' | gzip -n | bad hgnc/HGNC.json.gz
t 'JSON of another shape'               3 'no list response.docs'       g "$tmp/bad" "$tmp/x"
printf '{"response": ' | gzip -n | bad hgnc/HGNC.json.gz
t 'half a JSON'                         3 'not JSON'                    g "$tmp/bad" "$tmp/x"
printf '%0300d,A\n' 1 | bad celltypist/GENCODEv44_Gene_id2name.csv
t 'an id without end'                   3 'longer than'                 g "$tmp/bad" "$tmp/x"
mkdir "$tmp/none"
t 'no table at all'                     3 'no gene table below'         g "$tmp/none" "$tmp/x"
is 'and nothing was written'            test ! -e "$tmp/x"
t 'no --inputs'                         2 'inputs is missing'           gene-tables --out "$tmp/x"
t 'no --out'                            2 'out is missing'              gene-tables --inputs "$in"
t 'a full disk'                         1 'cannot write'                g "$in" "$tmp/y" --report /dev/full

# Against the tables that the golden corpus was made with, and what guessing costs.
golden=${SHARED:-/nowhere}/golden/corpus/tables/genes.tsv.gz
if [ -f "$golden" ] && [ -d "$SHARED/data/gene_reference" ]; then
	t 'the real tables'                 0 ''   g "$SHARED/data" "$tmp/real"
	zcat "$golden" | tail -n +2 | LC_ALL=C sort >"$tmp/golden"
	join -t$'\t' "$tmp/golden" <(tail -n +2 "$tmp/real/genes.tsv" | LC_ALL=C sort) >"$tmp/both"
	is 'have every golden gene'         test "$(wc -l <"$tmp/both")" = "$(wc -l <"$tmp/golden")"
	is 'with its biotype'               awk -F'\t' '$4 != $11 { bad++ } END { exit bad > 0 }' "$tmp/both"
	is 'every golden core gene is core' awk -F'\t' '$5 == 1 && $12 == 0 { bad++ } END { exit bad > 0 }' "$tmp/both"
	is 'and few more are'               awk -F'\t' '$5 != $12 { more++ } END { exit !(more < NR / 50) }' "$tmp/both"
	is 'every golden homolog is ours'   awk -F'\t' '$8 != "-" && $8 != $15 { bad++ } END { exit bad > 0 }' "$tmp/both"
	is 'names differ in 1 of 500'       awk -F'\t' '$2 != $9 { bad++ } END { exit !(bad < NR / 500) }' "$tmp/both"
	mkdir -p "$tmp/few/gene_reference"
	cp -r "$SHARED/data/gene_reference/celltypist" "$tmp/few/gene_reference"
	t 'GENCODE 44 names alone'          0 ''   g "$tmp/few" "$tmp/guess"
	join -t$'\t' <(tail -n +2 "$tmp/guess/genes.tsv" | LC_ALL=C sort) <(tail -n +2 "$tmp/real/genes.tsv" | LC_ALL=C sort) >"$tmp/both"
	is 'find 99 of 100 named coding genes' awk -F'\t' '$11 == "protein_coding" && $1 != $2 { n++; hit += $4 == $11 } END { exit !(hit > 0.99 * n) }' "$tmp/both"
	is 'and are right in 9 of 10'       awk -F'\t' '$4 == "protein_coding" { n++; hit += $4 == $11 } END { exit !(hit > 0.9 * n) }' "$tmp/both"
else
	skip 'the real tables' 'no shared data'
fi
end
