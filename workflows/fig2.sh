#!/bin/bash
# Figures 2 and 6 from what the stages homology and perturb left:
#   fig2.sh fig2|fig6 BIN RESULTS OUT PROFILE RUN-NOTE SEED|RUN-NOTE...
# RUN-NOTE: what was run, without an end: of 2a; of 6b and, behind it, of S10a. SEED: of the simulator (fig2).
# Run where paper/ and reference/ lie. A figure is drawn from a table `row series value low high`, which stays
# beside it; tables without a line make none.
set -euo pipefail
what=$1 bin=$2 results=$3 out=$4 profile=$5 ran=$6
shift 6
said="Run: 'make $what PROFILE=$profile'"
[ "$profile" != test ] || said+=' on simulated cells'
simulated='Simulated cells, all wires known: they say nothing of real ones.'

rows() { # PROGRAM FILE...: awk with the columns of the head as c["name"]
	awk -F '\t' -v OFS='\t' "FNR == 1 { for (i = 1; i <= NF; i++) c[\$i] = i; next } $1" "${@:2}"
}
# What the paper shows stands under figure NAME in the table of the figure, under NAME-N in that of its sample.
claims() { # NAME OF
	awk -F '\t' -v OFS='\t' -v name="$1" -v of="$2" 'NR == 1 { print } $1 == of { $1 = name; print }' "reference/figure${what#fig}.tsv"
}
marks() { # NAME OF LINE LABEL NOTE: the table comes from stdin
	{ printf '%s\t%s\t%s\t%s\t%s\n' row series value low high; cat; } >"$out/$1.part"
	if [ "$(wc -l <"$out/$1.part")" -gt 1 ]; then
		claims "$1" "$2" >"$out/claims.part"
		"$bin/figure" "$out/$1.part" --kind marks --name "$1" --line "$3" --label "$4" --note "$said: $5" --claims "$out/claims.part" \
			--templates paper --out "$out" --quiet
		rm "$out/claims.part"
	fi
	rm "$out/$1.part"
}

homologs() {
	[ -e "$results/homology/densities.tsv" ] || return 0
	"$bin/figure" "$results/homology/densities.tsv" --kind density --name fig2a --claims reference/figure2.tsv --templates paper \
		--out "$out" --quiet --note "$said: $ran; each line up to its own highest point. A gene and its homolog have one token: words alone show what that gives."
	rows '$c["metric"] == "auroc" {
		w["genecompass"] = "this run'"'"'s model"; w["genecompass-without-knowledge"] = "its knowledge taken away"
		w["trained-without-knowledge"] = "trained without knowledge"; w["random-weights"] = "random weights"
		w["random-weights-without-knowledge"] = "random weights, knowledge taken away"; w["word-rows"] = "words alone"
		m = $c["method"]; print $c["split"], m in w ? w[m] : m, $c["value"], "-", "-" }' "$results/homology/metrics.tsv" |
		marks figs2 figs2 0.5 'AUROC of homologs against other genes' "as in 2a. 0.5 is chance."
}

regulators() { # OTHERS FILE
	rows '$c["variant"] == "clean" && $c["split"] ~ /\/'"$1"'$/ { m = $c["method"]; l = $c["split"]; sub(/:.*/, "", l)
		w["genecompass"] = "deletion"; w["genecompass-z"] = "deletion, z among matched deletions"
		w["correlation"] = "correlation of counts"
		if (m in w) print $c["name"] ", " l, w[m], $c["auroc"], "-", "-" }' "$2"
}

precisions() { # FILE: regulators by the random baseline, as the paper has them
	rows '$c["variant"] == "clean" && $c["split"] ~ /\/others$/ && $c["method"] ~ /^(genecompass|correlation)$/ {
		g = $c["method"] == "genecompass"; l = $c["split"]; sub(/:.*/, "", l); r = $c["name"] ", " l
		if (g) base[r] = $c["random_listed"]
		if (g) vocabulary[r] = $c["random_vocabulary"]
		p[r, g] = $c["precision"]
	} END { for (r in base) printf "%s\t%s\t%s\t%s\t%s\n", base[r], r, p[r, 1], p[r, 0], vocabulary[r] }' "$1" |
		LC_ALL=C sort -t $'\t' -k1,1gr -k2,2 | awk -F '\t' -v OFS='\t' '{ print $2, "deletion", $3, "-", "-"
			if ($4 != "") print $2, "correlation of counts", $4, "-", "-"
			print $2, "chance: targets among the genes seen", $1, "-", "-"
			print $2, "chance as released: targets among 23,115 genes", $5, "-", "-" }'
}

real() {
	local d name n=0
	for d in "$results"/perturb-real/*/grn; do
		[ -e "$d" ] || continue
		n=$((n + 1)) name=$(basename "$(dirname "$d")")
		regulators housekeeping "$d/predictions.tsv" | marks "fig2b-$n" fig2b 0.5 "AUROC, targets against housekeeping genes, $name" \
			"regulators deleted in cells of $name, each list of targets by itself. 0.5 is chance; tests: grn/predictions.tsv. Without a mark: fewer than two matched deletions saw the genes."
		regulators others "$d/predictions.tsv" | marks "fig2c-$n" fig2c 0.5 "AUROC, targets against all other genes, $name" \
			"as in 2b. 0.5 is chance. Without a mark: fewer than two matched deletions saw the genes."
		rows '{ l = $c["split"]; sub(/:targets$/, "", l); print $c["pair"] ", " l, "both less one beside another", $c["both_less_one"],
			$c["low"], $c["high"] }' "$d/together.tsv" | marks "fig2d-$n" fig2d 0 "shift of shared targets, $name" \
			"pairs of regulators deleted together in cells of $name, less one of them beside a regulator without a link to the gene; 95 % intervals over shared targets (Student's t)."
		precisions "$d/predictions.tsv" | marks "figs4a-$n" figs4a 0 "precision of the first |targets| genes, $name" \
			"genes of $name ranked by their mean shift when the regulator is deleted."
	done
}

simulator() { # METRICS...
	local x
	for x in direct:wired:direct/others indirect:wired:direct/indirect; do
		"$bin/figure" "$@" --kind methods --metric auroc --split "${x#*:}" --name "fig2-${x%%:*}" --claims reference/figure2.tsv \
			--templates paper --out "$out" --quiet \
			--note "$said: a model of its own for each of $# seeds; mean and 95 % interval over them (Student's t). $simulated"
	done
	rows '$c["split"] == "wired:direct" && $c["metric"] ~ /^both_less_one/ { v[$c["seed"] $c["metric"]] = $c["value"]
		if (!s[$c["seed"]]++) o[++n] = $c["seed"]
	} END { m = "both_less_one"; for (i = 1; i <= n; i++) print "seed " o[i], "both less one beside another", v[o[i] m],
		v[o[i] m "_low"], v[o[i] m "_high"] }' "$@" | marks fig2d-simulator fig2d-simulator 0 'shift of shared direct targets' \
		"pairs of the twelve regulators with most direct targets; mean over pairs and 95 % interval (Student's t). $simulated"
	rows '$c["split"] == "wired:direct/others" && $c["variant"] == "clean" && $c["method"] ~ /^(genecompass|correlation)$/ {
		g = $c["method"] == "genecompass"; m = $c["metric"]
		w["precision"] = g ? "deletion" : "correlation of counts"
		w["random_listed"] = g ? "chance: targets among the genes seen" : ""
		w["random_vocabulary"] = g ? "chance as released: targets among 23,115 genes" : ""
		if (m in w && w[m] != "") print "seed " $c["seed"], w[m], $c["value"], "-", "-" }' "$@" |
		marks figs4a-simulator figs4a-simulator 0 'precision of the first |targets| genes' "mean over regulators. $simulated"
}

steps() { # NAME STAGE NOTE
	local d name n=0
	for d in "$results/$2"/*/steps; do
		[ -e "$d" ] || continue
		n=$((n + 1)) name=$(basename "$(dirname "$d")")
		rows '$c["measure"] ~ /^towards_/ { print $c["perturbation"], $c["step"], $c["mean"], $c["low"], $c["high"]
			print $c["perturbation"], $c["step"] ", matched random genes", $c["random"], "-", "-" }' "$d/predictions.tsv" |
			marks "$1-$n" "$1" 0 "gain of mean cosine to the target, $name" \
				"$3; 95 % intervals over cells (bootstrap). A step that concerns no cell is not there."
	done
}

screens() {
	local d name n=0
	for d in "$results"/perturb-screen/*/candidates.tsv; do
		[ -e "$d" ] || continue
		n=$((n + 1)) name=$(basename "$(dirname "$d")")
		awk -F '\t' -v OFS='\t' 'FNR == 1 { file++; for (i = 1; i <= NF; i++) c[$i] = i; next }
			file == 1 && $c["rank"] <= 12 { best[$c["perturbation"]] }
			file == 2 && ($c["perturbation"] in best) { print $c["perturbation"] ($c["in_every_list"] ? " *" : ""),
				"towards " $c["target"], $c["towards"], "-", "-" }' "$d" "$d" |
			marks "fig6c-$n" fig6c 0 "gain of mean cosine to the target, $name" \
				"$(cat "$results/perturb-screen/params"). The first twelve of each list; * stands in both. perturb --help says how they are ranked."
	done
}

if [ "$what" = fig2 ]; then
	homologs
	real
	metrics=()
	for seed; do metrics+=("$results/perturb-sim/$seed/grn/metrics.tsv"); done
	[ $# = 0 ] || simulator "${metrics[@]}"
else
	steps fig6b perturb-state "genes raised to their median (low) and above the cell's highest (high), $ran (sample:from:to:genes)"
	steps figs10a perturb-down "genes lowered to a half, a quarter and nothing in cells that have them in the upper half of their list, $1 (sample:from:to:genes)"
	screens
fi
