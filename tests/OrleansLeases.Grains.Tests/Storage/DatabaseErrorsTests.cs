using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace OrleansLeases.Grains.Tests.Storage;

/// <summary>What an error says about a write: that it certainly changed nothing, or that nobody knows.</summary>
public sealed class DatabaseErrorsTests
{
    [Theory]
    [InlineData("ERROR", "53100", true)] // the disk is full
    [InlineData("ERROR", "25006", true)] // read-only
    [InlineData("ERROR", "40001", true)]
    [InlineData("ERROR", "P0001", true)]
    [InlineData("ERROR", "55P03", true)] // somebody keeps the row locked
    [InlineData("ERROR", "40003", false)] // statement_completion_unknown: the name says it
    [InlineData("PANIC", "53100", false)] // the log's next segment does not fit the disk, after the commit was written
    [InlineData("FATAL", "25P04", false)] // transaction_timeout, once the commit lets interrupts in again
    [InlineData("ERROR", "57014", false)]
    [InlineData("FATAL", "57P01", false)]
    [InlineData("FATAL", "53300", true)] // no connection is left, so that there is no session
    [InlineData("FATAL", "57P03", true)] // it starts up
    [InlineData("FATAL", "28P01", true)]
    [InlineData("FATAL", "3D000", true)]
    [InlineData("ERROR", "XX000", false)]
    public void SurelyNotWritten_IsOnlyWhatTheServerRefusedAsAWhole(string severity, string state, bool surely) => Assert.Equal(
        surely, DatabaseErrors.SurelyNotWritten(new PostgresException("x", severity, severity, state)));

    [Theory]
    [InlineData("Host=127.0.0.1;Port=1")]
    [InlineData("Host=127.0.0.1:1,127.0.0.1:2")]
    [InlineData("Target Session Attributes=standby")] // of several hosts none is what is wanted, as while they change places
    [InlineData("Host=no.such.host.invalid")]
    [InlineData("Password=wrong;Username=nobody")]
    [InlineData("Database=none")]
    [InlineData("Maximum Pool Size=1;Timeout=1")]
    [InlineData("SSL Mode=VerifyFull")] // which the server does not have
    public async Task SurelyNotWritten_IsWhatFailedToConnect(string otherwise)
    {
        var (here, there) =
            (new NpgsqlConnectionStringBuilder(await TestDatabase.ConnectionStringAsync()), new NpgsqlConnectionStringBuilder(otherwise));
        foreach (var key in there.Keys) here[key] = there[key];
        if (there.TargetSessionAttributes is not null) here.Host = $"{here.Host},{here.Host}";
        await using var database = NpgsqlDataSource.Create(here);
        Exception? error = null;
        var open = new List<NpgsqlConnection>();
        for (var i = 0; i < 2 && error is null; i++)
        {
            error = await Record.ExceptionAsync(async () => open.Add(await database.OpenConnectionAsync()));
        }

        foreach (var connection in open) await connection.DisposeAsync();

        Assert.NotNull(error);
        Assert.True(DatabaseErrors.SurelyNotWritten(error), error.ToString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SurelyNotWritten_IsWhatHasNoPassword(bool periodic)
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        var source = new NpgsqlDataSourceBuilder(
            $"Host=127.0.0.1;Port={((IPEndPoint)server.LocalEndpoint).Port};Username=me;SSL Mode=Disable;GSS Encryption Mode=Disable");
        var away = new HttpRequestException("no token");
        if (!periodic) source.UsePasswordProvider(_ => throw away, (_, _) => throw away);
        else source.UsePeriodicPasswordProvider((_, _) => throw away, TimeSpan.FromHours(1), TimeSpan.FromHours(1));
        await using var database = source.Build();

        var opening = database.OpenConnectionAsync().AsTask();
        using var client = await server.AcceptTcpClientAsync();
        var stream = client.GetStream();
        await stream.ReadExactlyAsync(new byte[8]);
        // AuthenticationCleartextPassword.
        await stream.WriteAsync(new byte[] { (byte)'R', 0, 0, 0, 8, 0, 0, 0, 3 });
        var error = await Assert.ThrowsAsync<NpgsqlException>(() => opening);

        Assert.True(DatabaseErrors.SurelyNotWritten(error), error.ToString());
    }

    [Fact]
    public async Task SurelyNotWritten_IsWhatFailedItsHandshake()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        await using var database = NpgsqlDataSource.Create(
            $"Host=127.0.0.1;Port={((IPEndPoint)server.LocalEndpoint).Port};Username=me;SSL Mode=VerifyFull;GSS Encryption Mode=Disable");

        var opening = database.OpenConnectionAsync().AsTask();
        using (var client = await server.AcceptTcpClientAsync())
        {
            await client.GetStream().ReadExactlyAsync(new byte[8]);
            // It has TLS, it says.
            await client.GetStream().WriteAsync(new[] { (byte)'S' });
        }

        var error = await Assert.ThrowsAsync<NpgsqlException>(() => opening);
        Assert.True(DatabaseErrors.SurelyNotWritten(error), error.ToString());
    }
}
