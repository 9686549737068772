# Profile test: only variables.
