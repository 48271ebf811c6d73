using Medallion.Threading.Postgres;
using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Client.Users;

// DistributedLock.Postgres: an advisory lock of a session, which ends with its connection. Nothing is stored.
internal sealed class AdvisoryLockUser(string connectionString, int workers) : IUser
{
    private readonly PostgresDistributedLock[] _locks =
    [
        .. Enumerable.Range(0, workers).Select(
            worker => new PostgresDistributedLock(new PostgresAdvisoryLockKey($"users/{worker}", allowHashing: true), connectionString)),
    ];

    public string Library => "DistributedLock.Postgres";

    public async Task CycleAsync(int worker)
    {
        await using var held = await _locks[worker].TryAcquireAsync()
            ?? throw new BenchException($"PostgreSQL has locked users/{worker} already.");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
