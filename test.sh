#!/usr/bin/env bash
# The one test command: builds everything, runs all tests that it can, and says what did not run and why. Tests
# that need PostgreSQL run on a private one from the installed binaries or on the one that LEASES_TEST_POSTGRES names.
# The last line is the total; the exit code is 0 only where nothing failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# Started in the background, a script inherits an ignored SIGINT, under nohup an ignored SIGHUP, and so would the processes that
# the tests send these to.
if [ -z "${LEASES_TEST_SIGNALS:-}" ] && env --default-signal=HUP,INT,QUIT true 2>/dev/null; then
    LEASES_TEST_SIGNALS=default exec env --default-signal=HUP,INT,QUIT bash test.sh "$@"
fi

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
# The tests start hundreds of processes that end soon. Without profiles for later compilation and without W^X, each costs a fifth less.
export DOTNET_TieredPGO=0 DOTNET_EnableWriteXorExecute=0
configuration=Release
results=artifacts/test-results
passed=0 failed=0 skipped=0 trouble=0
ran=() not_run=()

finish() {
    echo
    echo "Ran: ${ran[*]:-nothing}."
    for reason in "${not_run[@]+"${not_run[@]}"}"; do echo "Not run: $reason"; done
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ] && [ "$trouble" -eq 0 ]
    exit
}

# The test projects among the paths on standard input.
test_projects() {
    tr '\\' '/' | grep -oE 'tests/[A-Za-z0-9_./-]+\.csproj' | sort -u | while read -r project; do
        grep -q 'Include="Microsoft.NET.Test.Sdk"' "$project" && echo "$project"
    done
}

# Tests that need PostgreSQL start one themselves, where its server is installed.
has_postgres() {
    [ -n "${LEASES_TEST_POSTGRES:-}" ] || compgen -G '/usr/lib/postgresql/*/bin/initdb' > /dev/null || command -v initdb > /dev/null
}

# The dashboard, and a page that tries to call a server, are tested in a real browser. Without one, those tests are skipped and say so.
install_chromium() {
    command -v chromium > /dev/null || [ "$(id -u)" -ne 0 ] || ! command -v apt-get > /dev/null && return
    echo "== Installing Debian's chromium"
    { apt-get update && apt-get install --yes --no-install-recommends chromium; } > "$results/chromium-install.log" 2>&1 \
        || echo "It did not install; $results/chromium-install.log says why."
}

# What the OpenAPI document is checked by. Without npm that test is skipped and says so.
install_redocly() {
    local version=2.77.0 folder=artifacts/redocly
    command -v npm > /dev/null || return
    grep -qF "\"version\": \"$version\"" "$folder/node_modules/@redocly/cli/package.json" 2> /dev/null && return
    echo "== Installing Redocly's linter"
    npm install --no-audit --no-fund --ignore-scripts --fetch-retries=0 --fetch-timeout=20000 --prefix "$folder" "@redocly/cli@$version" \
        > "$results/redocly-install.log" 2>&1 || echo "It did not install; $results/redocly-install.log says why."
}

counter() { grep -o '<Counters [^>]*' "$1" | grep -oE " $2=\"[0-9]+\"" | grep -oE '[0-9]+'; }

# Runs the tests of a project; what came of it is counted later.
run_tests() {
    local project=$1 name started=$SECONDS
    name=$(basename "$project" .csproj)
    echo
    echo "== $name"
    # A test that hangs is ended after five minutes and named.
    dotnet test "$(dirname "$project")/bin/$configuration/net10.0/$name.dll" --logger "trx;LogFileName=$name.trx" \
        --results-directory "$results" --blame-hang --blame-hang-timeout 5m --blame-hang-dump-type none
    echo "$? $((SECONDS - started))" > "$results/$name.end"
}

# Runs the tests of projects, by their names, one after the other. One is left out where its tests cannot run.
run_named() {
    local name project
    for name in "$@"; do
        for project in "${projects[@]}"; do [[ $project != *"/OrleansLeases.$name.csproj" ]] || run_tests "$project"; done
    done
}

count_tests() {
    local project=$1 name trx total executed good code seconds
    name=$(basename "$project" .csproj)
    trx=$results/$name.trx
    if [ ! -f "$trx" ]; then
        echo "$name wrote no results; it did not get to run its tests."
        not_run+=("$name, which ended without results.")
        trouble=1
        return
    fi
    read -r code seconds < "$results/$name.end"
    total=$(counter "$trx" total) executed=$(counter "$trx" executed) good=$(counter "$trx" passed)
    passed=$((passed + good))
    failed=$((failed + executed - good))
    skipped=$((skipped + total - executed))
    ran+=("$name ($executed in $seconds s)")
    if [ "$executed" -eq 0 ]; then
        echo "$name ran no test, which counts as a failure."
        trouble=1
    fi
    [ "$code" -eq 0 ] || trouble=1
}

rm -rf "$results"
mkdir -p "$results"
install_chromium
install_redocly

for project in tests/*/*.csproj; do
    grep -qF "$(basename "$project")" OrleansLeases.sln && continue
    echo "$project is in no solution, so it would never run."
    trouble=1
done

# A warning of the restore is an error too.
echo "== Building OrleansLeases.sln ($configuration, warnings as errors)"
# Where nodes are not reused, the SDK starts a compiler for each project, which takes twice as long as one for all.
dotnet build OrleansLeases.sln --configuration "$configuration" -warnaserror -nodeReuse:false -p:UseSharedCompilation=true \
    -verbosity:minimal
built=$?
dotnet build-server shutdown --vbcscompiler > /dev/null
if [ "$built" -ne 0 ]; then
    not_run+=("any test, since OrleansLeases.sln does not restore or build.")
    trouble=1
    finish
fi

projects=()
for project in $(test_projects < OrleansLeases.sln); do
    if grep -q '<NeedsPostgres>true' "$project" && ! has_postgres; then
        name=$(basename "$project" .csproj)
        not_run+=("$name: there is no PostgreSQL server on this machine; install one, or name one with LEASES_TEST_POSTGRES.")
    else
        projects+=("$project")
    fi
done

# Some projects mostly wait, for deadlines or for silos to start. What has no clock but its own, or patience, runs beside them; any other
# has the machine to itself: a busy machine answers late.
run_named Cluster.Tests Torture > "$results/beside.log" 2>&1 &
run_named Simulation Core.Tests GrainInterfaces.Tests Client.Tests Packages.Tests Fencing.Tests Hosting.Tests Hosting.Aspire.Tests \
    Samples.Tests Dashboard.Tests
wait
cat "$results/beside.log"
for project in "${projects[@]}"; do [ -f "$results/$(basename "$project" .csproj).end" ] || run_tests "$project"; done
for project in "${projects[@]}"; do count_tests "$project"; done

finish
