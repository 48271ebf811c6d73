using Npgsql;
using Orleans.Runtime;

namespace OrleansLeases.Grains;

/// <summary>The connections to the database of a silo's leases.</summary>
internal sealed class LeaseDatabase : IAsyncDisposable
{
    private readonly bool _isOurs;

    private LeaseDatabase(NpgsqlDataSource source, bool isOurs) => (Source, _isOurs) = (source, isOurs);

    public NpgsqlDataSource Source { get; }

    public static LeaseDatabase Of(LeaseConnectionString connection) => new(NpgsqlDataSource.Create(connection.Value), isOurs: true);

    /// <summary>Takes a data source of the application's, which it disposes of itself.</summary>
    /// <exception cref="OrleansConfigurationException">With its settings a grant could be lost after its response.</exception>
    public static LeaseDatabase Of(NpgsqlDataSource? source)
    {
        if (source is null)
        {
            throw new OrleansConfigurationException("The data source for leases is null; return one from what was given to AddLeases.");
        }

        // See LeaseConnectionString; there it can be set.
        if (new NpgsqlConnectionStringBuilder(source.ConnectionString).CancellationTimeout is var timeout and not -1)
        {
            throw new OrleansConfigurationException(
                $"The data source for leases has 'Cancellation Timeout={timeout}': a commit that waits for a standby would be cut short, "
                + "and reported as done. Put 'Cancellation Timeout=-1' into its connection string.");
        }

        return new(source, isOurs: false);
    }

    public ValueTask DisposeAsync() => _isOurs ? Source.DisposeAsync() : default;
}
