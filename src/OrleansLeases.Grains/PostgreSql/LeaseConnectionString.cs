using Npgsql;
using Orleans.Runtime;

namespace OrleansLeases.Grains;

/// <summary>A connection string with what leases want of one, unless it says otherwise itself.</summary>
internal sealed class LeaseConnectionString
{
    /// <param name="given">As configured.</param>
    /// <exception cref="OrleansConfigurationException">It is no connection string of Npgsql.</exception>
    public LeaseConnectionString(string given)
    {
        var connection = Parse(given);
        var set = connection.Keys.ToHashSet(StringComparer.OrdinalIgnoreCase);
        // Preparing triples the throughput of the providers' statements, which are few and never change.
        if (!set.Contains("Max Auto Prepare")) connection.MaxAutoPrepare = 20;
        if (!set.Contains("No Reset On Close")) connection.NoResetOnClose = true;
        if (!set.Contains("Command Timeout")) connection.CommandTimeout = 5;
        if (!set.Contains("Application Name")) connection.ApplicationName = "orleans-leases";
        // Not to be said otherwise. A command that takes too long would be cancelled, and the server ends a commit that
        // waits for its standby by calling it done. With the connection closed instead, its outcome is unknown, as it is.
        // Decision only-errors-are-certain.
        connection.CancellationTimeout = -1;
        Value = connection.ConnectionString;
    }

    /// <summary>Reads a connection string.</summary>
    /// <param name="given">As configured.</param>
    /// <returns>What it says.</returns>
    /// <exception cref="OrleansConfigurationException">
    /// It is no connection string of Npgsql, or names no server, or a file that there is not.
    /// </exception>
    public static NpgsqlConnectionStringBuilder Parse(string given)
    {
        NpgsqlConnectionStringBuilder connection;
        try
        {
            connection = new NpgsqlConnectionStringBuilder(given);
        }
        catch (Exception error) when (error is ArgumentException or FormatException)
        {
            // The string itself is not shown: it may hold a password.
            throw new OrleansConfigurationException($"The connection string for leases is none of Npgsql's: {error.Message}", error);
        }

        if (connection.RootCertificate is { Length: > 0 } authority && !File.Exists(authority))
            throw new OrleansConfigurationException(
                $"The connection string for leases has Root Certificate '{authority}', and there is no such file; it takes the "
                + "certificate of the authority that signed the database's, as PEM.");

        return string.IsNullOrWhiteSpace(connection.Host)
            ? throw new OrleansConfigurationException(
                "The connection string for leases names no Host; it takes one such as 'Host=db;Database=leases;Username=leases'.")
            : connection;
    }

    /// <summary>The complete string.</summary>
    public string Value { get; }
}
