# dosage: are transcription factors that are sensitive to their dosage told from others? Figure 4e, with what
# simple numbers reach (dosage --help).
#   dosage/clean         every method, folds over genes
#   dosage/as-released   the published training
# metrics.tsv joins them. dosage_samples: human samples of the profile; dosage_expression: inputs of which
# statistics are taken (those of the reference figures; none: the cells themselves). In profile test labels, lengths and
# the list are made up: regulators of the simulator are the sensitive genes, so nothing follows for real ones.
dosage_samples ?=
dosage_expression ?=
dosage_cells ?= 150
dosage_seeds ?= 5
dosage_tune_seeds ?= 1
# The published rate, 5e-5, moves next to nothing in the few steps that so few cells give. As released it stays.
dosage_training ?= --epochs 2 --lr 5e-4
dosage_options := --cells $(dosage_cells) --seeds $(dosage_seeds) --tune-seeds $(dosage_tune_seeds) --seed $(seed) \
	--backend $(BACKEND)
dosage_labels := benchmarks/dosage_sensitivity/dosage_sens_tf_labels.csv
dosage_list := benchmarks/dosage_sensitivity/exac_lof_pLI_genes.txt
dosage_lengths := gene_reference/annotables/grch38.tsv.gz
params/dosage := $(dosage_options) $(dosage_training) $(if $(strip $(dosage_samples)),cells: $(dosage_samples)) \
	$(if $(strip $(dosage_expression)),statistics: $(dosage_expression))
dosage_simulated := $(if $(filter test,$(PROFILE)),$R/simulate/truth/genes.tsv)

# Sixty genes that many cells show; 24 of them regulators.
dosage_made = mkdir -p $(@D)/made; awk -F '\t' -v to=$(@D)/made 'NR == 1 { for (i = 1; i <= NF; i++) col[$$i] = i; \
	print "ensembl_id,gene_name,dosage_insensitive,dosage_sensitive" >(to "/labels.csv"); \
	print "ensgene\tstart\tend" >(to "/lengths.tsv"); print "gene_name" >(to "/list.txt"); next } \
	$$col["species"] == "human" && $$col["base"] > 0 { tf = $$col["tf"] > 0; if (n[tf]++ >= (tf ? 24 : 36)) next; \
	print $$col["id"] "," $$col["name"] "," (tf ? ",Yes" : "Yes,") >(to "/labels.csv"); \
	print $$col["id"] "\t1\t" 1000 + NR * 7919 % 50000 >(to "/lengths.tsv"); \
	if (tf) print $$col["name"] >(to "/list.txt") }' $(dosage_simulated);

.SECONDEXPANSION:
$R/dosage/MANIFEST.tsv: $B/bin/dosage $R/dosage/params $R/fetch/MANIFEST.tsv $(if $(dosage_simulated),$R/simulate/MANIFEST.tsv) \
		$(if $(strip $(dosage_samples)),$R/pretrain/MANIFEST.tsv) \
		$(foreach s,$(dosage_samples),$R/qc-filter/$(s)/MANIFEST.tsv) | $(closer)
	$(open_stage)
	$Q$(if $(dosage_simulated),$(dosage_made) view=$(@D)/made; labels=labels.csv; lengths=lengths.tsv; list=list.txt;,view=$(CACHE)/view; \
		labels=$(dosage_labels); lengths=$(dosage_lengths); list=$(dosage_list);) \
	 set --; for s in $(dosage_samples); do f=$R/qc-filter/$$s/cells.h5ad; if [ -e $$f ]; then set -- "$$@" $$f; fi; done; \
	 if [ $$# = 0 ] || [ ! -e "$$view/$$labels" ]; then \
		echo '  dosage: left out, no cells or no labels at hand in profile $(PROFILE)'; \
		printf 'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\n' >$(@D)/metrics.tsv; \
	 else \
		set -- "$$@" --labels "$$view/$$labels" --model $(trained) --dataset dosage-$(PROFILE) $(dosage_options); \
		if [ -e "$$view/$$lengths" ]; then set -- "$$@" --lengths "$$view/$$lengths"; fi; \
		if [ -e "$$view/$$list" ]; then set -- "$$@" --list "$$view/$$list"; fi; \
		for f in $(dosage_expression); do if [ -e $(CACHE)/view/$$f ]; then set -- "$$@" --expression $(CACHE)/view/$$f; fi; done; \
		$(tool)dosage "$$@" $(dosage_training) --out $(@D)/clean --threads $(THREADS) $(quiet); \
		$(tool)dosage "$$@" --as-released --out $(@D)/as-released --threads $(THREADS) $(quiet); \
		cp $(@D)/clean/metrics.tsv $(@D)/metrics.tsv; tail -n +2 $(@D)/as-released/metrics.tsv >>$(@D)/metrics.tsv; \
	 fi
	$(close_stage)

ifneq ($(PROFILE),full)
fig4e_draw = $(tool)figure $R/dosage/metrics.tsv --kind methods --claims reference/figure4e.tsv --templates paper \
	--split each-fold --out $(@D) $(quiet)
fig4e_note := Run: 'make fig4e PROFILE=$(PROFILE)', $(dosage_cells) cells to learn from and as many to judge in; mean and 95 % interval \
	(Student's t) over folds of genes and $(dosage_seeds) seeds, $(dosage_tune_seeds) where all of the model is trained. Runs share \
	genes, so intervals are narrower than those of new genes would be.
# What the tool found of the list, where there was one.
fig4e_list = "$$(sed -n 's/.*"finding": "\(.*\)".*/The list that came with the labels: \1./p' \
	$R/dosage/clean/report.json 2>/dev/null || true)"
params/fig4e := --profile $(PROFILE)
$R/fig4e/MANIFEST.tsv: $B/bin/figure $R/fig4e/params reference/figure4e.tsv paper/common.gp paper/bars.gp \
		$R/dosage/MANIFEST.tsv | $(closer)
	$(open_stage)
	$Q$(fig4e_draw) --metric auroc_gene --name fig4e --note "$(fig4e_note)" $(fig4e_list)
	$Q$(fig4e_draw) --metric auroc_occurrence --name fig4e-occurrence --note "$(fig4e_note)" $(fig4e_list)
	$(close_stage)
fig4e: $R/fig4e/MANIFEST.tsv
	@ls $R/fig4e/
else
fig4e:
	@echo '  nothing was fetched or computed: PROFILE=small makes the figure from what is at hand'
endif
fig4_parts += fig4e

##@ Results
dosage: $R/dosage/MANIFEST.tsv ## genes sensitive to their dosage, beside numbers that need no model
.PHONY: dosage fig4e
