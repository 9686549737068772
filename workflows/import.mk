# import: each sample of the samples table to one form, $R/import/SAMPLE/cells.h5ad.
#
# A sample's row of the table is its parameters, written again only when the row differs: an edit of
# the table makes only those samples stale that it is about. Inputs lie in the cache's view under
# the paths of the table. An optional input that could not be fetched makes a stage without
# outputs; lacking labels make cells without labels.
view ?= $(CACHE)/view
# As in stage.mk, which is read later than the rule below.
samples_tsv ?= manifests/samples.tsv

$R/import/%/params: $(samples_tsv) FORCE
	@mkdir -p $(@D); awk -F '\t' -v s='$*' 'NR == 1 { for (i = 1; i <= NF; i++) at[$$i] = i } \
	 NR > 1 && $$1 == s { n++; print "path=" $$at["path"]; print "species=" $$at["species"]; \
		if ($$at["labels"] != "-") print "labels=" $$at["labels"]; \
		if ($$at["label_column"] != "-") print "label-column=" $$at["label_column"] } \
	 END { if (n != 1) { print FILENAME ": " n + 0 " rows for sample " s >"/dev/stderr"; exit 3 } }' \
	 $< >$@.part; \
	 if cmp -s $@.part $@; then rm $@.part; else mv $@.part $@; fi

counted = $(filter $*,$(quantify_samples))
.SECONDEXPANSION:
$R/import/%/MANIFEST.tsv: $B/bin/import $R/import/%/params $R/fetch/MANIFEST.tsv \
		$$(addprefix $R/quantify/,$$(addsuffix /MANIFEST.tsv,$$(filter $$*,$$(quantify_samples)))) \
		| $(closer)
	$(open_stage)
	$Qset --; \
	 while IFS='=' read -r key value; do case $$key in \
		path) path='$(view)'/"$$value";; \
		species) set -- "$$@" --species "$$value";; \
		labels) if [ -e '$(view)'/"$$value" ]; then set -- "$$@" --labels '$(view)'/"$$value"; fi;; \
		label-column) column=$$value;; \
	 esac; done <$(@D)/params; \
	 case " $$* " in *' --labels '*) set -- "$$@" $${column:+--label-column "$$column"};; esac; \
	 $(if $(counted),path=$R/quantify/$*;) \
	 if [ -e "$$path"$(if $(counted),/matrix.mtx.gz) ]; then \
		$(tool)import "$$path" --sample '$*' "$$@" --out $(@D)/cells.h5ad \
			--report $(@D)/report.json --threads $(THREADS) $(if $(filter 1,$(V)),,--quiet); \
	 else echo '  $*: left out, its input could not be had'; fi
	$(close_stage)
