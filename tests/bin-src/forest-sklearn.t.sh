#!/bin/bash
# The random forest of annotate compare beside scikit-learn's on the fixed splits of the reference
# values, mean accuracy of five seeds within 0.02. Needs ../shared and scikit-learn.
. "$SRC/tests/tool.sh"
golden=$SHARED/golden/downstream/annotation
for set in sc_human/pbmc_sorted_reference sc_mouse/baron_pancreas_mouse1; do
	name=${set#*/}
	if [ -z "$SHARED" ] || [ ! -e "$SHARED/data/$set/matrix.mtx.gz" ] || [ ! -e "$golden/splits_$name.tsv" ]; then
		skip "$name" 'its counts or splits are not on this machine'
	elif ! "$PYTHON" -c 'import sklearn, scipy' 2>/dev/null; then
		skip "$name" 'no scikit-learn on this machine'
	else
		t "$name: as accurate as scikit-learn's" 0 '' "$PYTHON" "$SRC/tests/bin-src/forest-sklearn.py" "$SHARED/data/$set" \
			"$golden/splits_$name.tsv" "$golden/hvg_${name}_seed0.txt" "$tmp/x" "$TESTS/test_forest" 200
		sed "s/^/# $name: /" "$tmp/.stdout"
	fi
done
end
