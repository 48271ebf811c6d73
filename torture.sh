#!/usr/bin/env bash
# Real processes on this machine, killed, frozen and cut off under load, by seed: ./torture.sh --help says how.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
dotnet build tests/OrleansLeases.Torture --configuration Release --verbosity quiet -nodeReuse:false
exec dotnet tests/OrleansLeases.Torture/bin/Release/net10.0/OrleansLeases.Torture.dll "$@"
