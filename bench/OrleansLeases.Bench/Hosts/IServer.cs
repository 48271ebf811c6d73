namespace OrleansLeases.Bench.Hosts;

// What answers the calls of a row: one process or several.
internal interface IServer
{
    // Seconds of processor time so far, in user and kernel mode, with what the database takes for it.
    double CpuSeconds { get; }

    // The database's share, where there is one.
    double? DatabaseCpuSeconds => null;

    // Whether the callers are in the same process, so that their time is the server's.
    bool HoldsCallers => false;
}
