# dose: CPA and simple methods on a dose that was held out (dose --help). Figure 4c of the paper:
#   dose/simulated   a made-up set whose curves are known; in every profile but full. Vectors of genes in the decoder,
#                    beside the same vectors given to other genes, and as published
#   dose/sciplex     sci-Plex 2 (A549, four drugs; Srivatsan et al. 2020), where dose_sciplex names GSM_new.h5ad of CPA
#   dose/released    the authors' two result tables again, where the cache has them: means, and how much they vary
# metrics.tsv and spread.tsv join them. A seed draws the parts of the cells, first weights and the order.
dose_sciplex ?= $(wildcard $(MIRROR:=/benchmarks/cpa/GSM_new.h5ad))
# Columns and control of that file; its own split holds out dose 0.5.
dose_sciplex_columns ?= --drug condition --dose dose_val --cell-type cell_type --control Vehicle --split split
# What embed --genes wrote, for sci-Plex.
dose_vectors ?=
dose_simulated ?= --genes 200 --drugs 4 --types 1 --families 10 --controls 250 --each 40
dose_seeds ?= 5
dose_network ?= --epochs 240 --check-every 20 --batch 128 --width 64 --latent 32 --lr 1e-3
params/dose := $(dose_simulated) --seeds $(dose_seeds) $(dose_network) --backend $(BACKEND) --seed $(seed) \
	$(if $(dose_sciplex),data: sci-Plex $(dose_sciplex_columns)) $(if $(dose_vectors),vectors: $(dose_vectors))
dose_evaluate = $(tool)dose evaluate $(1) --dataset $(2) --seed $(seed) --seeds $(dose_seeds) $(dose_network) \
	--backend $(BACKEND) --threads $(THREADS) --out $(@D)/$(2)/scores --report $(@D)/$(2)/report.json $(quiet)
dose_tables = $(patsubst %,$(CACHE)/view/benchmarks/cpa/GSM_new_%.csv,genecompass genecompass0708)
$R/dose/MANIFEST.tsv: $B/bin/dose $R/dose/params $R/fetch/MANIFEST.tsv $(dose_sciplex) $(dose_vectors) | $(closer)
	$(open_stage)
	$Q$(tool)dose simulate $(dose_simulated) --seed $(seed) --threads $(THREADS) --out $(@D)/simulated $(quiet)
	$Q$(call dose_evaluate,$(@D)/simulated/cells.h5ad --cell-type cell_type --vectors $(@D)/simulated/vectors.h5ad \
		--truth $(@D)/simulated/curves.tsv --as-released,simulated)
	$Q$(if $(dose_sciplex),$(call dose_evaluate,$(dose_sciplex) $(dose_sciplex_columns) $(if \
		$(dose_vectors),--vectors $(dose_vectors) --as-released),sciplex),echo '  sci-Plex: left out, its \
		cells are not at hand (make fig4c PROFILE=full says where they are)')
	$Qset --; for f in $(dose_tables); do if [ -e "$$f" ]; then set -- "$$@" "$$f"; fi; done; \
	 if [ $$# -gt 0 ]; then $(tool)dose released "$$@" --out $(@D)/released $(quiet); \
	 else echo '  result tables of the authors: left out, the cache has none'; fi
	$Qfor t in metrics comparisons; do first=1; for f in $(@D)/*/scores/$$t.tsv; do \
		tail -n +$$first "$$f"; first=2; done >$(@D)/$$t.tsv; done
	$(close_stage)

ifneq ($(PROFILE),full)
fig4c_draw = $(tool)figure $R/dose/metrics.tsv --kind methods --claims reference/figure4c.tsv --split ood --as-released \
	--templates paper --out $(@D) $(quiet)
fig4c_note := Run: 'make fig4c PROFILE=$(PROFILE)', $(dose_seeds) seeds; the dose that nobody trained on; mean over \
	conditions, and 95 % interval over seeds (Student's t). Data sets named simulated are our own: they say nothing of real cells.
params/fig4c := --profile $(PROFILE)
$R/fig4c/MANIFEST.tsv: $B/bin/figure $R/fig4c/params reference/figure4c.tsv paper/common.gp paper/bars.gp \
		$R/dose/MANIFEST.tsv | $(closer)
	$(open_stage)
	$Q$(fig4c_draw) --metric r2_mean --name fig4c --note "$(fig4c_note)"
	$Q$(fig4c_draw) --metric r2_mean_de --name fig4c-de --note "$(fig4c_note)"
	$Q$(fig4c_draw) --metric pearson_change_de --name fig4c-change --note "$(fig4c_note)"
	$Qcp $R/dose/comparisons.tsv $(@D)/fig4c-comparisons.tsv
	$Qfor t in summary spread; do if [ -e $R/dose/released/$$t.tsv ]; then \
		cp $R/dose/released/$$t.tsv $(@D)/fig4c-released-$$t.tsv; fi; done
	$Qcp $R/dose/simulated/scores/spread.tsv $(@D)/fig4c-spread.tsv
	$(close_stage)
fig4c: $R/fig4c/MANIFEST.tsv
	@ls -d $R/fig4c/*.svg
else
fig4c:
	@awk -F '\t' 'NR == 1 || $$1 == "fig4c" { printf "  %-6s %-28s %-72s %s  %s\n", $$1, $$2, $$3, $$4, $$5 }' \
		manifests/figures.tsv
	@echo '  nothing was fetched or computed: PROFILE=small makes the figure from what is at hand'
endif
fig4_parts += fig4c

##@ Results
dose: $R/dose/MANIFEST.tsv ## drug doses predicted by CPA and by simple methods
.PHONY: dose fig4c
