#!/bin/bash
# The stage authors on made pickles in a mirror, and without any: what cannot be had is left out.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
if ! command -v make >/dev/null; then skip 'the stage authors' 'no make'; end; fi
corpus_files || exit 1
r=$tmp/r m=$tmp/mirror/authors/prior_knowledge
mkdir -p "$tmp/empty" "$r/vocab" "$r/knowledge" "$m"/{gene_list,promoter_emb,PECA2vec}
vocab --tables "$tmp/tables" --out "$r/vocab/vocab.tsv" --quiet || exit 1
awk 'BEGIN { for (i = 1; i <= 120; i++) for (j = i + 1; int((j - 1) / 12) == int((i - 1) / 12); j++) print "G" i, "G" j }' >"$tmp/net.txt"
knowledge-embed grn --vocab "$r/vocab/vocab.tsv" --tables "$tmp/tables" --pairs "$tmp/net.txt" --dim 64 --passes 40 \
	--out "$r/knowledge/grn.safetensors" --text "$tmp/grn.txt" --quiet || exit 1
for s in vocab knowledge; do manifest "$r/$s" --quiet --stage "$s" || exit 1; done
"$PYTHON" - "$tmp" "$m" <<'PY' || exit 1
import pickle, sys
genes = [l.rstrip("\n").split("\t") for l in open(sys.argv[1] + "/r/vocab/vocab.tsv")][3:]
pickle.dump({k: i for i, k in enumerate(["<pad>", "<mask>"] + [g[1] for g in genes])}, open(sys.argv[2] + "/human_mouse_tokens.pickle", "wb"), protocol=4)
pickle.dump({g[1]: g[2] for g in genes}, open(sys.argv[2] + "/gene_list/Gene_id_name_dict_human_mouse.pickle", "wb"), protocol=4)
ours = dict(l.rstrip("\n").split("\t") for l in open(sys.argv[1] + "/grn.txt"))
for s in ("human", "mouse"):
    with open("%s/%s.txt" % (sys.argv[1], s), "w") as f:
        for i, g in enumerate(genes):
            if g[3] == s:
                f.write(g[2] + "\t" + ours.get(g[2], " ".join(str(hash((i, j)) % 1000 / 500 - 1) for j in range(64))) + "\n")
PY
for s in human mouse; do "$PYTHON" "$SRC/tests/bin-src/pickle-vectors.py" "$m/PECA2vec/${s}_PECA_vec.pickle" <"$tmp/$s.txt"; done
cp "$m/PECA2vec/human_PECA_vec.pickle" "$m/promoter_emb/human_emb_768.pickle" # its mouse file is not there
{
	head -n 1 "$SRC/manifests/inputs/authors.tsv"
	(cd "$tmp/mirror" && find authors -type f) | LC_ALL=C sort | while read -r f; do
		printf '%s\t%d\t%s\toptional\tnone\t-\tmade\n' "$f" "$(stat -c %s "$tmp/mirror/$f")" "$(sha256sum <"$tmp/mirror/$f" | cut -d' ' -f1)"
	done
	printf 'authors/prior_knowledge/promoter_emb/mouse_emb_768.pickle\t5\t%064d\toptional\tnone\t-\tmade\n' 7
} >"$r/authors.tsv"
stage() { # VARIABLE=TEXT...
	make -C "$SRC" --no-print-directory -o "$B/bin/fetch" -o "$B/bin/import-pickle" -o "$B/bin/knowledge-diff" -o "$B/bin/manifest" \
		-o "$r/knowledge/MANIFEST.tsv" -o "$r/vocab/MANIFEST.tsv" B="$B" R="$r" PROFILE=small "$@" knowledge-authors
}
t 'made pickles in a mirror'            0 '' stage CACHE="$tmp/cache" MIRROR="$tmp/mirror" authors_manifest="$r/authors.tsv"
is 'a kind with both files is compared' grep -qP '^grn\thuman\tmantel r\t1\t120$' "$r/authors/diff.tsv"
is 'one without is left out'            bash -c "grep -q 'promoter: left out' '$tmp/.stdout' && [ ! -e '$r/authors/promoter.safetensors' ]"
is 'the manifest has the tables'        grep -q 'diff.tsv' "$r/authors/MANIFEST.tsv"
t 'nothing to be had'                   0 '' stage CACHE="$tmp/none" MIRROR="$tmp/empty" \
	authors_manifest="$r/authors.tsv"
is 'is a stage that says so'            bash -c "grep -q 'authors: left out' '$tmp/.stdout' && [ -e '$r/authors/MANIFEST.tsv' ] && [ ! -e '$r/authors/diff.tsv' ]"
pinned() { # eight pickles of vectors, each with size and sum
	[ "$(awk -F'\t' '/768|PECA_vec/ && $2 > 8e7 && length($3) == 64 && $4 == "optional"' "$SRC/manifests/inputs/authors.tsv" | wc -l)" = 8 ]
}
is 'the authors eight files are pinned' pinned
end
