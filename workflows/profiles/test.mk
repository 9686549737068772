# Profile test: only variables.

# Nothing from outside: the simulator's cells.
inputs_manifest :=
