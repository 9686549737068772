# The rows of the samples table that this profile has and whose files are there.
#   awk -F '\t' -v profile=demo -f workflows/samples.awk results/demo/fetch/inputs.tsv manifests/samples.tsv
# A path of a sample is a file or a folder; of a folder every file must be there, but for the label
# table: without it the sample stays and its labels become `-`.
FNR == 1 { table++ }
table == 1 && FNR > 1 { have[$1] = $5 == "have" }
table == 2 && FNR == 1 {
	for (i = 1; i <= NF; i++)
		col[$i] = i
	OFS = "\t"
	print
}
table == 2 && FNR > 1 && index("," $col["profiles"] ",", "," profile ",") {
	path = $col["path"]
	labels = $col["labels"]
	n = bad = 0
	for (file in have)
		if (file == path || (index(file, path "/") == 1 && file != labels)) {
			n++
			bad += !have[file]
		}
	if (!(labels in have) || !have[labels])
		$col["labels"] = $col["label_column"] = "-"
	if (n && !bad)
		print
}
