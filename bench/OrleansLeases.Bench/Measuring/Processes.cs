using OrleansLeases.Bench.Hosts;

namespace OrleansLeases.Bench.Measuring;

// The processes whose time a row counts: the server, or this process where it is the server; and its database.
internal sealed class Processes(int? server, int? database) : IServer
{
    public double CpuSeconds => ProcessTime.Of(server ?? Environment.ProcessId) + (DatabaseCpuSeconds ?? 0);

    public double? DatabaseCpuSeconds => database is { } process ? ProcessTime.OfFamily(process) : null;

    public bool HoldsCallers => server is null;
}

// A PostgreSQL called from this process.
internal sealed class DatabaseProcess(int? database) : IServer
{
    public double CpuSeconds => database is { } process ? ProcessTime.OfFamily(process) : 0;
}
