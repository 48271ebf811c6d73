using System.Security.Authentication;
using Npgsql;

namespace OrleansLeases.Grains;

/// <summary>The first connection to a database, which finds out whether the connection string is right.</summary>
internal static class DatabaseStart
{
    /// <summary>Opens a connection.</summary>
    /// <exception cref="InvalidOperationException">The server's certificate is not believed; the message has the remedy.</exception>
    /// <exception cref="NpgsqlException">The database refused or does not respond.</exception>
    public static async Task<NpgsqlConnection> OpenAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        try
        {
            return await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        }
        // Without the cause as an inner exception: the cause says only that a callback of Npgsql's refused it.
        catch (NpgsqlException error) when (error.InnerException is AuthenticationException)
        {
            var settings = new NpgsqlConnectionStringBuilder(database.ConnectionString);
            var authority = settings.RootCertificate is { } file
                ? $"Root Certificate is '{file}', and has to be the authority that signed it"
                : "Root Certificate is not set, so that one of the machine's authorities has to have signed it";
            throw new InvalidOperationException(
                $"The certificate of the database's server '{settings.Host}' is not believed (SSL Mode={settings.SslMode}). In the "
                + $"connection string {authority}; and with SSL Mode=VerifyFull Host must be one of its names.");
        }
    }
}
