#!/bin/sh
# Builds the servers and the bench, then measures. bench/README.md says what; --help lists the options.
set -eu
cd "$(dirname "$0")/.."

build() {
    output=$(dotnet build "$1" -c Release -nologo 2>&1)
}

for project in src/OrleansLeases.Cli bench/OrleansLeases.Bench bench/OrleansLeases.Bench.Client; do
    build "$project" || { printf '%s\n' "$output" >&2; exit 1; }
done

# What needs Orleans is built unless only other scenarios are named. Where its packages do not restore, the rest runs.
silos=no
case " $* " in
*" orleans "* | *" users "* | *" grains "* | *" batching "* | *" takeover "*) silos=yes ;;
*" cycles "* | *" renewals "* | *" batch "* | *" handover "* | *" watch "* | *" expiry "* | *" keys "* | *" scale "* | *" client "* | *" access "* | *" telemetry "* | *" flood "* | *" sizing "* | *" --help "* | *" -h "*) ;;
*) silos=yes ;;
esac
if [ "$silos" = yes ]; then
    if build src/OrleansLeases.Silo && build bench/OrleansLeases.Bench.Orleans; then
        set -- --silo src/OrleansLeases.Silo/bin/Release/net10.0/leases-silo.dll \
            --grains bench/OrleansLeases.Bench.Orleans/bin/Release/net10.0/OrleansLeases.Bench.Orleans.dll "$@"
    else
        printf '%s\n' "$output" | grep -m 3 'error' >&2 || true
        echo "run.sh: the silo does not build here, so the scenarios that need it are left out." >&2
    fi
fi

exec dotnet bench/OrleansLeases.Bench/bin/Release/net10.0/OrleansLeases.Bench.dll \
    --server src/OrleansLeases.Cli/bin/Release/net10.0/leases.dll \
    --client bench/OrleansLeases.Bench.Client/bin/Release/net10.0/OrleansLeases.Bench.Client.dll \
    --baseline bench/baseline.json "$@"
