#!/bin/bash
# parity-downstream refuses damaged folders with a sentence, exit 4 and its usual last line. The
# folders are copies of those in reference/golden; nothing of ../shared is needed.
. "$SRC/tests/tool.sh"
golden=$SRC/reference/golden/downstream
export SHARED=$tmp/nowhere # no data: what needs it is skipped

# refused NAME DIR: a `not ok` line, no signal, the last line in form.
refused() {
	local status=0
	"$TESTS/parity-downstream" "$2" >"$tmp/out" 2>"$tmp/err" || status=$?
	if [ "$status" -eq 4 ] && grep -q '^not ok' "$tmp/out" && [ ! -s "$tmp/err" ] &&
		tail -n 1 "$tmp/out" | grep -Eq '^[0-9]+ passed, [1-9][0-9]* failed, [0-9]+ skipped$'; then
		return 0
	fi
	echo "# $1: status $status"
	tail -n 3 "$tmp/out" "$tmp/err" | sed 's/^/# /'
	return 1
}
fresh() {
	rm -rf "$tmp/d"
	cp -r "$golden/$1" "$tmp/d"
	chmod -R u+w "$tmp/d"
}
# Every file but the README in turn is gone, cut in half, or empty.
files() {
	local f bad=0
	for f in "$golden/$1"/*; do
		f=${f##*/}
		if [ "$f" = README.md ]; then continue; fi
		fresh "$1"
		case $2 in
		gone) rm "$tmp/d/$f" ;;
		half) head -c $(($(wc -c <"$golden/$1/$f") / 2)) "$golden/$1/$f" >"$tmp/d/$f" ;;
		empty) : >"$tmp/d/$f" ;;
		esac
		# A folder without K in the name of a graph's file asks for one comparison less.
		case $2$f in gone*_K*.tsv) continue ;; esac
		refused "$1 $f $2" "$tmp/d" || bad=1
	done
	return $bad
}
# A tensor of another name, and one of another shape (same bytes).
tensors() {
	local f=$golden/$1/$2 bad=0
	fresh "$1"
	LC_ALL=C sed "s/\"$3\"/\"$4\"/" "$f" >"$tmp/d/$2"
	refused "$1 without $3" "$tmp/d" || bad=1
	fresh "$1"
	LC_ALL=C sed "s/\(\"$3\":{[^}]*\"shape\":\[\)\([0-9]*\),\([0-9]*\)\]/\1\3,\2]/" "$f" >"$tmp/d/$2"
	if [ -n "${5-}" ]; then refused "$1 with $3 turned" "$tmp/d" || bad=1; fi
	return $bad
}
for kind in perturb_baselines geneformer_tiny tosica_tiny came_tiny gears_tiny deepsem_tiny deepce_tiny cpa_tiny; do
	is "$kind as it is"             "$TESTS/parity-downstream" "$golden/$kind"
	for how in gone half empty; do
		is "$kind, a file $how"     files "$kind" "$how"
	done
done
is 'a tensor is missing: gears'     tensors gears_tiny gears_tiny.safetensors param.pert_emb.weight qaram.pert_emb.weight turned
is 'a tensor is missing: cpa'       tensors cpa_tiny cpa_tiny.safetensors drugs erugs turned
is 'a tensor is missing: deepsem'   tensors deepsem_tiny deepsem_tiny.safetensors param.adj_A qaram.adj_A
is 'a tensor is missing: came'      tensors came_tiny came_unaligned.safetensors x z turned
mkdir "$tmp/none"
is 'a folder of no kind'            refused none "$tmp/none"
t 'no folder'                       2 'usage' "$TESTS/parity-downstream"
end
