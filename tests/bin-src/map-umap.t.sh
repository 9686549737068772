#!/bin/bash
# The layout of map beside umap-learn's: near cells are near dots as often. Needs umap-learn.
. "$SRC/tests/tool.sh"
if ! "$PYTHON" -c 'import umap, anndata' 2>/dev/null; then
	skip 'maps are as trustworthy as those of umap-learn' 'no umap-learn on this machine'
	end
fi
test_probe --write "$tmp" 300 || exit 1
for cells in good noise; do
	for seed in 0 1 2; do
		map "$tmp/$cells.h5ad" --matrix X_genecompass --seed "$seed" --out "$tmp/$cells.$seed" --quiet
	done
	t "$cells: as trustworthy as umap-learn's" 0 '' "$PYTHON" -W ignore "$SRC/tests/bin-src/map-umap.py" "$tmp/$cells.h5ad" "$tmp/$cells".?/map.tsv
	sed "s/^/# $cells: /" "$tmp/.stdout"
done
end
