# Profile small: only variables. All real cells that lie near at hand, both species: about 12,000.
inputs_manifest := manifests/inputs/demo.tsv manifests/inputs/small.tsv
