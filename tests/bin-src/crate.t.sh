# crate: what it writes is valid by the standards' own validators, true, and covered by audit.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/audit-fake.sh"
cd "$tmp" || exit 1
fake_results "$tmp/r"
# What the cards read, and names that want escaping: of a sample, a file, a checkout's file.
odd='import/s 1#é|%20'
mkdir -p "r/$odd" r.source/'a dir' r/qc-filter/lung
echo '{"species": "human", "kind": "a|b", "n_cells": 3, "n_genes": 5, "total": 17, "n_labelled": 2}' >"r/$odd/report.json"
echo x >"r/$odd/a file?.bin"
echo y >'r.source/a dir/b #1.txt'
fake_close r "$odd" r/fetch/MANIFEST.tsv 'r.source/a dir/b #1.txt'
echo '{"rules": {"min_genes": 200, "z_max": 3.25}, "dropped": {"P1": 4, "z_total": 1}, "kept": 9}' >r/qc-filter/lung/report.json
head -c 300 /dev/zero | tr '\0' 'q' >r/qc-filter/lung/cells.h5ad
fake_close r qc-filter/lung r/import/lung/MANIFEST.tsv
echo '{"n_cells": 3, "n_tokens": 60}' >r/tokenize/report.json
fake_close r tokenize r/qc-filter/lung/MANIFEST.tsv
echo '{"parameters": 1234, "layers": 2, "width": 8, "entropy": 7.25, "knowledge": {"promoter": {"present": 77}}}' >r/pretrain/report.json
printf '%s\n' '{"step": 0, "split": "val", "id_loss": 9.5, "baseline_id_loss": 7.25}' \
	'{"step": 7, "split": "train", "loss": 1.5}' \
	'{"step": 7, "split": "val", "id_loss": 7.123456789, "baseline_id_loss": 7.25, "cells": 2}' >r/pretrain/log.jsonl
fake_close r pretrain r/tokenize/MANIFEST.tsv
printf 'lung\tmajority\tmacro_f1\t1\t0.333333333\tnan\n' >>r/annotate/summary.tsv
fake_close r annotate r/pretrain/MANIFEST.tsv r/import/lung/MANIFEST.tsv
fake_close r report r/annotate/MANIFEST.tsv r/fetch/MANIFEST.tsv r.source/paper/report.css
(cd "$SRC" && CC=cc SOURCE_DATE_EPOCH=86400 bash workflows/build-facts.sh 0.1.0 README.md '-O2 -g' "$B/bin/crate" "$B/bin/audit") >facts.tsv
is 'the build is a table'               test "$(awk -F '\t' '{ print $1 }' facts.tsv | sort -u | tr '\n' ' ')" = \
	'archive compiler date engine kind library needs program source '
is 'of the date that is asked for'      grep -q '^date	1970-01-02	' facts.tsv
is 'with the sums of the programs'      grep -q "^program	crate	0.1.0	$(sha256sum <"$B/bin/crate" | cut -c1-64)	" facts.tsv
for p in annotate fetch import pretrain qc-filter report simulate tokenize; do
	printf 'program\t%s\t0.1.0\t%064d\t-\n' $p 7 >>facts.tsv
done
close_crate() { # results
	local word=()
	while IFS= read -r m; do word+=("$m"); done < <(find "$1" -name MANIFEST.tsv ! -path "$1/crate/*" | LC_ALL=C sort)
	fake_close "$PWD/$1" crate "${word[@]}"
	cp "$1/crate/ro-crate-metadata.json" "$1/crate/README.md" "$1/"
}

t 'a results folder is described'       0 'stages described' crate r --source "$SRC" --build facts.tsv --out r/crate
close_crate r
cp -r r moved && cp -r r.source moved.source
t 'once more, elsewhere'                0 '' crate moved --source r/crate/workflow --build facts.tsv --out again --threads 1
rm r/crate/MANIFEST.tsv
is 'it is the same, byte for byte'      diff -r r/crate again
close_crate r
t 'all of it is in the chain'           0 ' 0 fail' audit r --level 0 --source r.source
audit r --level 1 --out v >/dev/null 2>&1
n=$(grep -c '^output' r/crate/MANIFEST.tsv)
is 'an audit makes it again, all of it' grep -q "^repeat	crate	holds	run again: $n files with the same bytes" v/audit.tsv
t 'it can be signed'                    0 '' attest r --out s
is 'and SHA256SUMS has it'              bash -c 'cd r && sha256sum --quiet -c ../s/SHA256SUMS && grep -q " ro-crate-metadata.json$" ../s/SHA256SUMS'

check() { # sentence parts
	"$PYTHON" "$SRC/tests/bin-src/crate-check.py" r "${@:2}" >out 2>err
	case $? in
	0) verdict 0 "$1" ;;
	77) skip "$1" "python has no package: $(cat out)" ;;
	*) verdict 1 "$1"; sed 's/^/# /' out err | head -n 12 ;;
	esac
}
check 'the RO-Crate is a Provenance Run Crate, with every file, sum, tool and parameter' ro-crate
check 'and the validator sees when a part of that is missing' broken
check 'README.md counts what lies in each folder' readme
check 'the Croissant files load, and their records are those of the tables' croissant
check 'the bill of materials is CycloneDX, with all of the build' bom
check 'every number of the cards is in its source, and none is typed' cards
is 'the model card says how the losses compare' grep -q 'held-out cells is lower than' r/crate/model-card.md
is 'and reads numbers from deep within' grep -q '^| genes with a promoter vector | 77 |' r/crate/model-card.md
# The comparison can fail.
cp r/crate/model-card.md good.md
for s in 's/| 1234 |/| 1235 |/' 's/7.12345679/7.12345779/' 's/0.333333333/0.333333334/' 's/^## Uses/## 2 Uses/'; do
	sed "$s" good.md >r/crate/model-card.md
	t "another number is seen: $s"       1 '' "$PYTHON" "$SRC/tests/bin-src/crate-check.py" r cards
done
cp good.md r/crate/model-card.md

# Every file changed by a byte, one at a time.
for f in README.md crate/README.md crate/workflow/{GNUmakefile,workflows/crate.mk} crate/{bom.cdx.json,build.tsv,croissant-benchmarks.json,croissant.json,data-sheet.md,model-card.md} \
	crate/ro-crate-metadata.json ro-crate-metadata.json; do
	rm -rf one && cp -r r one && change_byte "one/$f"
	audit one --level 0 >got 2>/dev/null
	is "a byte changed in $f is named"   grep -qE "^[a-z]+	$f	fails	changed" got
done
rm -rf one && cp -r r one && rm one/ro-crate-metadata.json
t 'the copy in the root is missed'      4 "ro-crate-metadata.json' missing" audit one --level 0
rm -rf one && cp -r r one && rm one/README.md
t 'so is that of README.md'             4 "README.md' missing" audit one --level 0
rm -rf one && cp -r r one && rm -r one/crate
t 'and alone it is a stray'             4 "README.md' lies in no stage" audit one --level 0
is 'as the other is'                    grep -q '^strays	ro-crate-metadata.json	fails	lies in no stage' "$tmp/.stdout"
rm -rf one && cp -r r one && cp -r r.source one.source && sed -i 's/| 1234 |/| 9234 |/' one/crate/model-card.md
close_crate one
t 'a forged card has no fault in its bytes' 0 ' 0 fail' audit one --level 0
audit one --level 1 >got 2>/dev/null
is 'an audit that makes it again tells' grep -q '^repeat	crate/model-card.md	fails' got

# A stale stage, first in the alphabet: it read an older manifest than lies there now.
rm -rf one one.source && cp -r r one && cp -r r.source one.source && mkdir one/about && echo z >one/about/z
fake_close "$PWD/one" about one/report/MANIFEST.tsv
echo '<p/>' >one/report/index.html && fake_close "$PWD/one" report one/annotate/MANIFEST.tsv
t 'results with a stale stage'          0 '' crate one --build facts.tsv --source r/crate/workflow --out stale
is 'a file has the sum of what lies there' python3 -c '
import json, hashlib
g = {x["@id"]: x for x in json.load(open("stale/ro-crate-metadata.json"))["@graph"]}
assert g["report/MANIFEST.tsv"]["sha256"] == hashlib.sha256(open("one/report/MANIFEST.tsv", "rb").read()).hexdigest()'

# Parameters as make writes them; each is told by its own name, whatever words stand between options.
shown() { make -C "$SRC" -s --no-print-directory B="$B" dose_sciplex=S dose_vectors=V perturb_norman=N perturb_go=G \
	profile_drug_l1000=L with_indigo= networks_hesc=H homology_pair=a:b homology_samples=c:d "$@" shown; }
told() { # stage variables...
	mkdir -p "told/$1"
	shown "${@:2}" --eval "shown: ; \$(info \$(strip \$(params/$1)))@:" >"told/$1/params"
	fake_close "$PWD/told" "$1"
}
for s in dose homology networks perturb-predict perturb-predict-set profile-drug; do told $s PROFILE=test; done
mkdir told/made-up
printf '%s\n' '--steps 3 vectors: of a model data: x --amp y --sets a b --last' 'path=a = --b' 'just words' >told/made-up/params
fake_close "$PWD/told" made-up
t 'parameters of all forms'             0 '' crate told --source "$SRC" --build facts.tsv --out pairs
python3 - >got <<'END'
import json
for x in json.load(open('pairs/ro-crate-metadata.json'))['@graph']:
    if x['@id'].startswith('#parameter/'):
        print(x['@id'].split('/')[1], x['name'], x['value'], sep='\t')
END
cat >want <<'END'
dose	--seed	1
dose	data:	sci-Plex
dose	--drug	condition
dose	--split	split
dose	vectors:	V
homology	--backend	auto
homology	samples:	a:b c:d
homology	types:	type_1 type_2 type_3
made-up	--steps	3
made-up	vectors:	of a model
made-up	data:	x
made-up	--amp	y
made-up	--sets	a b
made-up	--last	True
made-up	path	a = --b
made-up	settings	just words
networks	sim_h1:	8 regulators
networks	data:	hESC
perturb-predict-set	--backend	auto
perturb-predict-set	vectors:	model
perturb-predict	--splits	2
perturb-predict	--seeds	2
perturb-predict	data:	simulated norman
profile-drug	indigo:	none
profile-drug	--n-drugs	20
profile-drug	--seed	1
profile-drug	vectors:	model
profile-drug	data:	L1000
END
is 'have the names and values that they were given' diff want <(grep -Fxf want got)
is 'and made-up ones no other'          test "$(grep -c '^made-up' got)" = 8
# Options that take lists in the fragments; a second word of any other is a word that wants a name.
for p in test small full; do
	# shellcheck disable=SC2016  # for make
	shown PROFILE=$p --eval 'shown: ; $(foreach v,$(sort $(filter params/%,$(.VARIABLES))),$(info $v $(strip $($v))))@:'
done >all.params
awk '{ o = ""; for (i = 2; i <= NF; i++)
	if ($i ~ /^--[A-Za-z0-9]/ || $i ~ /.:$/) { o = $i; n = 0 }
	else if (o ~ /^--/ && o !~ /^--(batches|genome|seeds|sequences|sets|truth|tss|tune)$/ && ++n > 1) print $1 ": " o " ... " $i }' all.params >odd
is 'no parameter of a fragment has words without a name' test ! -s odd
is 'and many were looked at'            test "$(wc -l <all.params)" -gt 100
awk -F '\t' '$8 ~ /^param / { split($8, w, " "); print w[2], w[3] }' "$SRC/reference/claims.tsv" >compared
while read -r stage option; do
	grep -qE "^params/$stage .*$option( |$)" all.params || echo "$stage $option"
done <compared >missed
is 'claims find every parameter that they compare' test -s compared -a ! -s missed

# An address that is none, as a stranger's table has it; a lone %, a second # and brackets are none of a URI, either.
rm -rf one && cp -r r one && rm -rf one.source && cp -r r.source one.source
python3 - <<'END'
at = {'lung.csv.gz': 'https://example.org/a b"<x>|é%zz%20#[1]#2', 'sim.csv': 'https://'}
rows = [line.rstrip('\n').split('\t') for line in open('one/fetch/inputs.tsv')]
for r in rows[1:]:
    r[6] = at.get(r[0][3:], r[6])
open('one/fetch/inputs.tsv', 'w').writelines('\t'.join(r) + '\n' for r in rows)
END
fake_close "$PWD/one" fetch one.source/manifests/inputs/fake.tsv one/simulate/MANIFEST.tsv
t 'addresses that are none'             0 '' crate one --source r/crate/workflow --build facts.tsv --out blank
is 'become some, or stay names'         python3 -c '
import json, re
ids = [x["@id"] for x in json.load(open("blank/ro-crate-metadata.json"))["@graph"]]
assert "https://example.org/a%20b%22%3Cx%3E%7C%C3%A9%25zz%20#%5B1%5D%232" in ids, ids
assert "#input/sc/sim.csv" in ids, ids
assert all(re.fullmatch(r"([A-Za-z0-9._~:/?@!$&()*+,;=-]|%[0-9A-Fa-f]{2})*(#([A-Za-z0-9._~:/?@!$&()*+,;=-]|%[0-9A-Fa-f]{2})*)?", i) for i in ids)'

t 'no table of the build'               2 'build FILE is missing' crate r --out x
t 'no --out'                            2 '' crate r --source "$SRC" --build facts.tsv
t 'another table'                       3 '' crate r --build r/fetch/inputs.tsv --out x
grep -v '^date' facts.tsv >dateless.tsv
t 'a table without a date'              3 'no row of kind date' crate r --build dateless.tsv --out x
grep -v '^engine' facts.tsv >makeless.tsv
t 'a table without make'                3 'no row of kind engine' crate r --build makeless.tsv --source "$SRC" --out x
grep -v 'GNUmakefile' facts.tsv >bare.tsv
t 'a table without the makefile'        3 'has no GNUmakefile' crate r --build bare.tsv --source "$SRC" --out x
cp -r r/crate/workflow other && echo '# more' >>other/workflows/crate.mk
t 'another makefile than that of the build' 3 'crate.mk.* is not what the table of the build has the sum of' \
	crate r --build facts.tsv --source other --out x
sed 's,^source	workflows/crate.mk,source	workflows/../../crate.mk,' facts.tsv >outside.tsv
t 'a name that leads out of the folder' 3 "'workflows/../../crate.mk' is no path below a checkout" \
	crate r --build outside.tsv --source r/crate/workflow --out x
t 'no checkout'                         3 'GNUmakefile' crate r --build facts.tsv --source none --out x
t 'no folder'                           3 "no folder 'none'" crate none --build facts.tsv --out x
rm -rf one && cp -r r one && echo '{' >one/pretrain/report.json
t 'a broken report'                     3 'pretrain/report.json.*line' crate one --source "$SRC" --build facts.tsv --out y
is 'leaves no card of it'               test ! -e y/model-card.md
rm -rf one && cp -r r one && echo 'kind' >one/pretrain/MANIFEST.tsv
t 'a broken manifest'                   3 "stage 'pretrain'" crate one --source "$SRC" --build facts.tsv --out z
# Text that is no UTF-8: a row, a stage's name, a licence, a column, the table of the build.
rm -rf one && cp -r r one && printf -- '--steps 7\n--note caf\xe9\n' >one/pretrain/params
fake_close "$PWD/one" pretrain one/tokenize/MANIFEST.tsv
t 'a parameter that is no UTF-8'        3 "stage 'pretrain': MANIFEST.tsv: line 5: '--note caf[?]' is no UTF-8" \
	crate one --source "$SRC" --build facts.tsv --out latin
is 'leaves no file'                     test ! -e latin
rm -rf one && cp -r r one && mkdir one/$'caf\xe9' && fake_close "$PWD/one" $'caf\xe9'
t 'a stage that is no UTF-8'            3 "the name of a stage: 'caf[?]' is no UTF-8" crate one --source "$SRC" --build facts.tsv --out latin
rm -rf one && cp -r r one && sed -i $'2s/MIT/caf\xe9/' one/fetch/inputs.tsv
t 'a licence that is no UTF-8'          3 "inputs.tsv': line 2: 'caf[?]' is no UTF-8" crate one --source "$SRC" --build facts.tsv --out latin
rm -rf one && cp -r r one && sed -i $'1s/score/caf\xe9/' one/annotate/predictions.tsv
t 'a column that is no UTF-8'           3 "predictions.tsv': line 1: '.*caf[?].* is no UTF-8" crate one --source "$SRC" --build facts.tsv --out latin
sed $'s/^date	[^	]*/date	caf\xe9/' facts.tsv >latin.tsv
t 'a build that is no UTF-8'            3 "latin.tsv': line [0-9]*: 'caf[?]' is no UTF-8" crate r --build latin.tsv --source "$SRC" --out latin
rm -rf one && cp -r r one && printf 'dataset\n' >one/annotate/summary.tsv
t 'a table without the columns'         3 'summary.tsv' crate one --source "$SRC" --build facts.tsv --out w
end
