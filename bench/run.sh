#!/bin/sh
# Builds the server and the bench, then measures. bench/README.md says what; --help lists the options.
set -eu
cd "$(dirname "$0")/.."
build() {
    dotnet build "$1" -c Release -v quiet -nologo --tl:off "-clp:NoSummary;ErrorsOnly" >&2
}
build src/OrleansLeases.Cli
build bench/OrleansLeases.Bench
exec dotnet bench/OrleansLeases.Bench/bin/Release/net10.0/OrleansLeases.Bench.dll \
    --server src/OrleansLeases.Cli/bin/Release/net10.0/leases.dll "$@"
