#!/bin/sh
# Builds the server and the bench, then measures. bench/README.md says what; --help lists the options.
set -eu
cd "$(dirname "$0")/.."
for project in src/OrleansLeases.Cli bench/OrleansLeases.Bench; do
    output=$(dotnet build "$project" -c Release -nologo 2>&1) || { printf '%s\n' "$output" >&2; exit 1; }
done
exec dotnet bench/OrleansLeases.Bench/bin/Release/net10.0/OrleansLeases.Bench.dll \
    --server src/OrleansLeases.Cli/bin/Release/net10.0/leases.dll "$@"
