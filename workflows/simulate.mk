# simulate: the cells of profile test. Two species with known types, network and homologs, laid out as
# a mirror of inputs ($R/simulate/mirror) with a manifest and a table of samples, so that fetch and all
# behind it run as they do on real cells. What is true about them: $R/simulate/truth.
ifeq ($(PROFILE),test)
params/simulate := --cells $(simulate_cells) --types $(simulate_types) --genes $(simulate_genes) \
	--tfs $(simulate_tfs) --seed $(simulate_seed)

$R/simulate/MANIFEST.tsv: $B/bin/simulate $R/simulate/params | $(closer)
	$(open_stage)
	$Q$(tool)simulate --out $(@D) --report $(@D)/report.json --quiet --threads $(THREADS) \
		$(params/simulate)
	$(close_stage)

# No recipe of their own: they come with the stage.
$R/simulate/inputs.tsv $R/simulate/samples.tsv: $R/simulate/MANIFEST.tsv ;
endif
