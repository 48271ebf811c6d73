using OrleansLeases.Conformance.Stores;
using OrleansLeases.Embedded.Tests.Hosting;

namespace OrleansLeases.Embedded.Tests.Sqlite;

/// <summary>SQLite as a store of records.</summary>
public sealed class SqliteStoreTests : RecordStoreSuite, IAsyncLifetime
{
    private readonly TestFolder _folder = new();
    private SqliteStore? _store;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (_store is not null) await _store.DisposeAsync();
        _folder.Dispose();
    }

    protected override Task<IRecordStore> StartAsync() => Task.FromResult<IRecordStore>(_store = SqliteStore.Open(_folder.Path));
}
