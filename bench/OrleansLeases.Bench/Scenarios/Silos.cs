using OrleansLeases.Bench.Hosts;

namespace OrleansLeases.Bench.Scenarios;

// The scenarios that need Orleans and PostgreSQL, and what is missing for them on this machine.
internal static class Silos
{
    public static bool Needs(string scenario) => scenario is "orleans" or "grains" or "batching" or "takeover";

    public static string? Missing(Options options) =>
        !File.Exists(options.SiloProgram) ? "leases-silo is not built (--silo)"
        : !File.Exists(options.GrainsProgram) ? "OrleansLeases.Bench.Orleans is not built (--grains)"
        : PostgresServer.Binaries is null ? "PostgreSQL is not installed"
        : null;
}
