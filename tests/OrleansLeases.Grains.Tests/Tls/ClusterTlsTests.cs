using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Orleans.Runtime;
using OrleansLeases.Testing;

namespace OrleansLeases.Grains.Tests.Tls;

/// <summary>Who gets through a handshake with a process of a cluster, and what it does not start with.</summary>
public sealed class ClusterTlsTests : IDisposable
{
    private const string ForServers = "1.3.6.1.5.5.7.3.1";
    private const string ForClients = "1.3.6.1.5.5.7.3.2";

    private readonly TestAuthority _authority = new();
    private readonly TestAuthority _other = new();
    private readonly TlsFiles _ours;
    private readonly ManualTimeProvider _time = new();

    public ClusterTlsTests() => _ours = TlsFiles.Of(_authority);

    public void Dispose()
    {
        _ours.Dispose();
        _authority.Dispose();
        _other.Dispose();
    }

    [Fact]
    public async Task Processes_OfOneAuthority_BelieveEachOther_AlsoThroughOneBelowIt()
    {
        using var below = new TestAuthority("Below", _authority);
        using var theirs = TlsFiles.Of(_authority);
        theirs.Write(below.Sign("theirs", [ForServers, ForClients]), _authority.Pem);
        var (one, other) = (Tls(_ours), Tls(theirs));

        Assert.Equal(("CN=silo", "CN=theirs"), await ShakeAsync(one.AsServer, other.AsClient));
        Assert.Equal(("CN=theirs", "CN=silo"), await ShakeAsync(other.AsServer, one.AsClient));
    }

    [Fact]
    public async Task Process_OfAnotherAuthority_IsRefusedByBothSides()
    {
        using var theirs = TlsFiles.Of(_other);
        // It would believe ours.
        theirs.WriteOne("ca.crt", $"{_other.Pem}\n{_authority.Pem}");
        var (one, other) = (Tls(_ours), Tls(theirs));

        await AssertRefusedAsync(one.AsServer, other.AsClient);
        await AssertRefusedAsync(other.AsServer, one.AsClient);
    }

    [Fact]
    public async Task Process_WithoutACertificate_IsRefused() => await AssertRefusedAsync(Tls(_ours).AsServer, _ => { });

    [Theory]
    [InlineData(true, null)]
    [InlineData(false, ForServers)]
    public async Task Client_WithACertificateThatIsNotForIt_IsRefused(bool isOver, string? use)
    {
        using var files = TlsFiles.Of(_authority);
        files.Write(_authority.Sign("theirs", use is null ? null : [use], isOver), _authority.Pem);
        using var certificate = X509Certificate2.CreateFromPemFile(files.PathOf("tls.crt"), files.PathOf("tls.key"));

        await AssertRefusedAsync(Tls(_ours).AsServer, client => client.ClientCertificates = [certificate]);
    }

    [Fact]
    public async Task Renewal_IsShownToTheNextConnection_UnlessItCannotBeUsed()
    {
        using var theirs = TlsFiles.Of(_authority);
        var (one, other) = (Tls(_ours), Tls(theirs));
        _ours.Write(_authority.Sign("renewed"), _authority.Pem);
        Assert.Equal(("CN=silo", "CN=silo"), await ShakeAsync(one.AsServer, other.AsClient));

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(("CN=renewed", "CN=silo"), await ShakeAsync(one.AsServer, other.AsClient));

        // Of an authority that nobody believes, with a key that is not its own, and nothing at all.
        foreach (var write in new Action[]
        {
            () => _ours.Write(_other.Sign("unusable"), _authority.Pem),
            () => _ours.WriteOne("tls.key", _authority.Sign("unusable").Key),
            () => File.Delete(_ours.PathOf("tls.crt")),
        })
        {
            write();
            _time.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(("CN=renewed", "CN=silo"), await ShakeAsync(one.AsServer, other.AsClient));
        }
    }

    [Fact]
    public async Task Authority_IsReplacedByAnother_WhileBothAreBelieved()
    {
        using var theirs = TlsFiles.Of(_authority);
        var (one, other) = (Tls(_ours), Tls(theirs));
        var both = $"{_authority.Pem}\n{_other.Pem}";
        foreach (var files in new[] { _ours, theirs }) files.WriteOne("ca.crt", both);
        _ours.Write(_other.Sign("moved"), both);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(("CN=moved", "CN=silo"), await ShakeAsync(one.AsServer, other.AsClient));
        Assert.Equal(("CN=silo", "CN=moved"), await ShakeAsync(other.AsServer, one.AsClient));

        _ours.WriteOne("ca.crt", _other.Pem);
        _time.Advance(TimeSpan.FromSeconds(1));
        await AssertRefusedAsync(one.AsServer, other.AsClient);
    }

    [Theory]
    [InlineData("nothing", "ca.crt", "MutualTlsOptions.Authority is '", "ca.crt', which has no certificate of an authority")]
    [InlineData("nothing", "tls.crt", "MutualTlsOptions.Certificate and MutualTlsOptions.Key cannot be used", "as PEM without a password")]
    [InlineData("another", "tls.key", "MutualTlsOptions.Certificate and MutualTlsOptions.Key cannot be used", "' are no certificate")]
    [InlineData("another", "ca.crt", "CN=silo), which no process", "PartialChain")]
    [InlineData("gone", "tls.key", "MutualTlsOptions.Key is '", "tls.key', and there is no such file")]
    public void File_ThatCannotBeUsed_IsRefusedAtTheStart_WithFieldAndRemedy(string what, string file, string field, string reason)
    {
        if (what == "gone") File.Delete(_ours.PathOf(file));
        else _ours.WriteOne(file, what == "nothing" ? "nothing" : file == "ca.crt" ? _other.Pem : _other.Sign("other").Key);

        var said = Assert.Throws<OrleansConfigurationException>(() => Tls(_ours)).Message;

        Assert.Contains(field, said, StringComparison.Ordinal);
        Assert.Contains(reason, said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ForClients, false, "NotValidForUsage")]
    [InlineData(ForServers, false, "NotValidForUsage")]
    [InlineData(null, true, "NotTimeValid")]
    public void Certificate_ThatOthersWouldRefuse_IsRefusedAtTheStart(string? use, bool isOver, string reason)
    {
        _ours.Write(_authority.Sign("silo", use is null ? null : [use], isOver), _authority.Pem);

        var said = Assert.Throws<OrleansConfigurationException>(() => Tls(_ours)).Message;

        Assert.Contains($"{_ours.PathOf("tls.crt")}' (CN=silo), which no process of the cluster", said, StringComparison.Ordinal);
        Assert.Contains(reason, said, StringComparison.Ordinal);
        Assert.Contains("it takes a certificate that is valid now", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_WithoutAFile_NameIt() => Assert.Contains(
        "MutualTlsOptions.Authority is not set",
        Assert.Throws<OrleansConfigurationException>(
            () => Tls(new MutualTlsOptions { Certificate = _ours.PathOf("tls.crt"), Key = _ours.PathOf("tls.key") })).Message,
        StringComparison.Ordinal);

    private ClusterTls Tls(TlsFiles files) => Tls(files.Options);

    private ClusterTls Tls(MutualTlsOptions options)
    {
        var tls = new ClusterTls(Options.Create(options), _time, NullLogger<ClusterTls>.Instance);
        tls.ValidateConfiguration();
        return tls;
    }

    private static async Task AssertRefusedAsync(
        Action<SslServerAuthenticationOptions> server, Action<SslClientAuthenticationOptions> client) =>
        await Assert.ThrowsAnyAsync<AuthenticationException>(() => ShakeAsync(server, client));

    // As Orleans does it; what each side has been shown.
    private static async Task<(string? Server, string? Client)> ShakeAsync(
        Action<SslServerAuthenticationOptions> asServer, Action<SslClientAuthenticationOptions> asClient)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var opened = new TcpClient();
        await opened.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        using var taken = await listener.AcceptTcpClientAsync();
        await using var server = new SslStream(taken.GetStream(), false, IsBelieved);
        await using var client = new SslStream(opened.GetStream(), false, IsBelieved);
        var serverOptions = new SslServerAuthenticationOptions { ClientCertificateRequired = true };
        var clientOptions = new SslClientAuthenticationOptions();
        asServer(serverOptions);
        asClient(clientOptions);
        var taking = Ended(server.AuthenticateAsServerAsync(serverOptions), taken);
        var opening = Ended(client.AuthenticateAsClientAsync(clientOptions), opened);
        // With TLS 1.3 the client is done before the server has looked at its certificate.
        await taking;
        await opening;
        return (client.RemoteCertificate?.Subject, server.RemoteCertificate?.Subject);

        static bool IsBelieved(object sender, X509Certificate? shown, X509Chain? chain, SslPolicyErrors errors) =>
            shown is not null && ClusterTls.IsBelieved(errors);

        // The other side is not to wait for one that has given up.
        static async Task Ended(Task handshake, TcpClient connection)
        {
            try
            {
                await handshake;
            }
            catch (Exception)
            {
                connection.Close();
                throw;
            }
        }
    }
}
