#!/usr/bin/env bash
# Applies each mutant of the lists beside this file to a copy of the tree, and fails if the tests that it names let one live.
#   tests/mutants/run.sh                  all of them
#   tests/mutants/run.sh NAME...          those of these names
#   tests/mutants/run.sh --list           their names, and what each breaks
#   tests/mutants/run.sh --in FOLDER ...  in a copy that stays, so that the next run builds less
exec dotnet run --project "$(dirname "${BASH_SOURCE[0]}")" -- "$@"
