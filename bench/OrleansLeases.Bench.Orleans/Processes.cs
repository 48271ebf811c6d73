using OrleansLeases.Bench.Hosts;

namespace OrleansLeases.Bench.Orleans;

// The processes whose time a row counts: the silo, or this process where it is the silo; and the database.
internal sealed class Processes(int? silo, int? database) : IServer
{
    public double CpuSeconds => ProcessTime.Of(silo ?? Environment.ProcessId) + (DatabaseCpuSeconds ?? 0);

    public double? DatabaseCpuSeconds => database is { } process ? ProcessTime.OfFamily(process) : null;

    public bool HoldsCallers => silo is null;
}

// PostgreSQL by itself, called from this process.
internal sealed class DatabaseProcess(int? database) : IServer
{
    public double CpuSeconds => database is { } process ? ProcessTime.OfFamily(process) : 0;
}
