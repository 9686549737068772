#!/bin/bash
# The stage knowledge-report on made tables, with a truth from outside the results: the manifest names
# what it holds, by its sum, and not where it lies.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
if ! command -v make >/dev/null; then skip 'the stage knowledge-report' 'no make'; end; fi
corpus_files || exit 1
r=$tmp/r
mkdir -p "$r/vocab" "$r/knowledge"
vocab --tables "$tmp/tables" --out "$r/vocab/vocab.tsv" --quiet || exit 1
for i in $(seq 1 60); do printf 'G%d G%d\n' "$i" $((i * 7 % 60 + 61)); done >"$tmp/net.txt"
knowledge-embed grn --vocab "$r/vocab/vocab.tsv" --tables "$tmp/tables" --pairs "$tmp/net.txt" --dim 8 --passes 2 \
	--out "$r/knowledge/grn.safetensors" --pairs-out "$r/knowledge/grn.pairs" --quiet || exit 1
for s in vocab knowledge; do manifest "$r/$s" --quiet --stage "$s" || exit 1; done
printf 'Gene1,Gene2\nG1,G68\nG1,G2\n' >"$tmp/truth.csv"
stage() { # VARIABLE=TEXT...
	make -C "$SRC" --no-print-directory -o "$B/bin/knowledge-report" -o "$B/bin/manifest" \
		-o "$r/knowledge/MANIFEST.tsv" -o "$r/vocab/MANIFEST.tsv" B="$B" R="$r" PROFILE=test \
		knowledge_report_dim=8 "$@" knowledge-report
}
t 'a truth from outside the results'    0 '' stage knowledge_truths="made=$tmp/truth.csv"
is 'is measured'                        grep -qxP 'grn\thuman\ttruth in relation\tmade\t-\t0.5\t2' "$r/knowledge-report/worth.tsv"
is 'the manifest has its sum'           grep -qF "made=$(sha256sum "$tmp/truth.csv" | cut -d' ' -f1)" "$r/knowledge-report/MANIFEST.tsv"
is 'and no path of this machine'        bash -c "[ -s '$r/knowledge-report/MANIFEST.tsv' ] && ! grep -qF '$tmp' '$r/knowledge-report/MANIFEST.tsv'"
printf 'G2,G75\n' >>"$tmp/truth.csv"
t 'other pairs in its place'            0 '' stage knowledge_truths="made=$tmp/truth.csv"
is 'are measured anew'                  grep -qP '\tmade\t-\t0.666667\t3$' "$r/knowledge-report/worth.tsv"
t 'without a truth'                     0 '' stage
is 'there is none'                      bash -c "[ -s '$r/knowledge-report/worth.tsv' ] && ! grep -q truth '$r/knowledge-report/worth.tsv'"
end
