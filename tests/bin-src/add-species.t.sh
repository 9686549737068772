#!/bin/bash
# add-species: the worked example of docs/add-a-species.md, word for word, and what must be true of it; refusals.
. "$SRC/tests/tool.sh"
awk '/^```sh/ { on = 1; next } /^```/ { on = 0 } on' "$SRC/docs/add-a-species.md" >"$tmp/example.sh"
example() { (cd "$tmp" && bash -euo pipefail example.sh); }
is 'the page has an example'            grep -q add-species "$tmp/example.sh"
t 'it runs'                             0 '' example
cd "$tmp" || exit 1
old=$(($(wc -l <human/vocab.tsv) - 1)) new=$(($(wc -l <both/vocab.tsv) - 1))
is 'old tokens stay'                    cmp <(cut -f1-5 human/vocab.tsv) <(head -$((old + 1)) both/vocab.tsv | cut -f1-5)
is 'and mouse genes follow'             bash -c "[ $new -gt $old ] && ! tail -n +$((old + 2)) both/vocab.tsv | cut -f4 | grep -qv mouse"
is 'they are the core genes of mouse'   diff <(awk -F'\t' 'NR > 1 && $3 == 1 && $5 == 1 { print $1 }' tables/genes.tsv | sort) \
	<(tail -n +$((old + 2)) both/vocab.tsv | cut -f2)
tier() { awk -F'\t' -v t="$1" '$3 == t' both/homologs.tsv | wc -l; }
is 'each tier has genes'                bash -c "[ $(tier one2one) -gt 100 ] && [ $(tier one2many) -gt 5 ] && [ $(tier none) -gt 5 ]"
is 'the report counts them'             bash -c "grep -q '\"one2one\": $(tier one2one),' both.json && grep -q '\"tokens_new\": $((new - old)),' both.json"
truth() { # pairs that the simulator calls one to one, as homologs.tsv must have them
	awk -F'\t' 'NR == FNR { if ($5 == "ortholog_one2one" || $5 == "one2one") pair[$3] = $1; next } FNR > 1 && $3 == "one2one" { n++; bad += pair[$1] != $4 } END { exit !(n && !bad) }' \
		sim/truth/homologs.tsv both/homologs.tsv
}
is 'one to one is the true homolog'     truth
rows() { # FILE TOKENS DIM: rows of a table's vectors; their place is told by the header
	local head
	head=$(od -An -tu8 -N8 "$1" | tr -d ' ')
	local from
	from=$(tail -c +9 "$1" | head -c "$head" | grep -o '"vectors":{[^}]*}' | grep -o 'data_offsets":\[[0-9]*' | grep -o '[0-9]*$')
	tail -c +$((9 + head + from)) "$1" | head -c $(($2 * $3 * 4))
}
is 'old rows stay to the bit'           cmp <(rows human/grn.safetensors "$old" 16) <(rows both/grn.safetensors "$old" 16)
is 'rows through homologs are as long as theirs' bash -c "awk -F'[:,]' '/norm_before/ { a = \$2 } /norm_new/ { b = \$2 } END { exit !(a > 0 && b > 0.6 * a && b < 1.6 * a) }' both.json"
t 'human cells'                         0 '' embed h1.h5ad --model human/run/step-4 --out h1.old.h5ad --quiet
t 'by the model of both'                0 '' embed h1.h5ad --model both/model --out h1.new.h5ad --quiet
if "$PYTHON" -c 'import anndata' 2>/dev/null; then
	cat >look.py <<-'PY'
		import anndata, numpy as np
		old, new, mouse = (anndata.read_h5ad(f).obsm["X_genecompass"] for f in ("h1.old.h5ad", "h1.new.h5ad", "m1.vectors.h5ad"))
		assert (old == new).all(), "a human cell has another vector"
		assert np.isfinite(mouse).all() and (np.abs(mouse).sum(1) > 0).mean() > 0.9 and len(np.unique(mouse.round(5), axis=0)) > 5
	PY
	is 'have the same vectors, and mouse cells have some' "$PYTHON" look.py
else
	skip 'have the same vectors, and mouse cells have some' 'python has no anndata'
fi
is 'own rows have the mean length of the old ones' bash -c "grep -q '\"own_rows_scaled_by\": 1.0\$' both.json && ! grep -q '\"own_rows_scaled_by\": 1.0\$' own.json && [ -s own.json ]"
add=(add-species --vocab human/vocab.tsv --tables tables --quiet)
t 'with two threads'                    0 '' "${add[@]}" --inputs sim/mirror --knowledge human/grn.safetensors --model human/run/step-4 --medians medians.tsv --out again --threads 2
is 'the same bytes'                     diff -r both again
t 'only the surest homologs'            0 '' "${add[@]}" --inputs sim/mirror --worst-tier one2one --out sure --report sure.json
is 'leave the others without'           bash -c "grep -q '\"one2many\": 0,' sure.json && grep -q '\"one2one\": $(tier one2one),' sure.json"
t 'homologs of the gene tables'         0 '' "${add[@]}" --out own2 --report own2.json
is 'are one to one'                     bash -c "grep -q '\"one2many\": 0,' own2.json && ! grep -q '\"one2one\": 0,' own2.json"
t 'a model that uses a kind without table' 0 '' "${add[@]}" --inputs sim/mirror --model human/run/step-4 --medians medians.tsv --out buffer
is 'takes the rows of its own buffer'   test -s buffer/model/model.safetensors
t 'mouse twice'                         3 'is of mouse already' add-species --vocab both/vocab.tsv --tables tables --out x
t 'tables without mouse'                3 'no core gene of mouse' add-species --vocab human/vocab.tsv --tables human --out x
t 'public tables without homologs'      3 'no table of homologs' "${add[@]}" --inputs human --out x
t 'a table of another vocabulary'       3 'grn.safetensors' "${add[@]}" --knowledge both/grn.safetensors --out x
t 'a table twice'                       2 'another table of kind grn' "${add[@]}" --knowledge human/grn.safetensors human/grn.safetensors --out x
cp -r human/run/step-4 other
knowledge-embed grn --tables human --vocab human/vocab.tsv --dim 16 --passes 3 --pairs sim/mirror/prior_knowledge/grn/trrust_rawdata.human.tsv --out three.safetensors --quiet
t 'a table that the model does not have' 3 'other rows of kind' "${add[@]}" --knowledge three.safetensors --model human/run/step-4 --medians medians.tsv --out y
t 'a model without medians'             2 'go together' "${add[@]}" --model human/run/step-4 --out x
t 'no vocabulary'                       2 'vocab is missing' add-species --tables tables --out x
t 'no output'                           2 'out is missing' "${add[@]}"
is 'none of them left a file'           bash -c "! ls x 2>/dev/null | grep -q . && [ ! -e y/model ]"
cd /
end
