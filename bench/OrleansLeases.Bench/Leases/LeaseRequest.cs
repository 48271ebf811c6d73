using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace OrleansLeases.Bench.Leases;

// A whole HTTP request, built once. Names end in seven digits and tokens are padded with blanks, which JSON
// allows, so that both are set in place.
internal sealed class LeaseRequest
{
    public const int NameDigits = 7;
    private const int TokenWidth = 16;
    private const string TokenField = "\"token\":";

    private readonly int _nameAt;
    private readonly int _tokenAt;
    private readonly int _ttlAt;
    private readonly int _keyAt;

    private LeaseRequest(string path, string prefix, string body, string method = "POST", string? apiKey = null)
    {
        Bytes = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{(apiKey is null ? "" : $"Authorization: Bearer {apiKey}\r\n")}"
                + $"Content-Type: application/json\r\nContent-Length: "
                + $"{Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}"));
        _nameAt = Bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes($"\"resource\":\"{prefix}")) + 12 + Encoding.UTF8.GetByteCount(prefix);
        _tokenAt = Bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(TokenField)) + TokenField.Length;
        _ttlAt = Bytes.AsSpan().IndexOf("\"ttlMs\":"u8) + 8;
        _keyAt = Bytes.AsSpan().IndexOf("/v1/keys/key-"u8) + 13;
    }

    public byte[] Bytes { get; }

    public static LeaseRequest Acquire(
        string prefix, string owner, TimeSpan ttl, TimeSpan wait = default, string? requestId = null, string? apiKey = null) =>
        new(
            "/v1/leases/acquire", prefix,
            $$"""{"resource":"{{prefix}}0000000","owner":"{{owner}}","ttlMs":{{Pad(ttl)}}{{Waiting(wait)}}{{Identified(requestId)}}}""",
            apiKey: apiKey);

    public static LeaseRequest Renew(string prefix, string owner, string? apiKey = null) => new(
        "/v1/leases/renew", prefix, $$"""{"resource":"{{prefix}}0000000","owner":"{{owner}}","token":0               }""", apiKey: apiKey);

    public static LeaseRequest Release(string prefix, string owner, string? apiKey = null) => new(
        "/v1/leases/release", prefix,
        $$"""{"resource":"{{prefix}}0000000","owner":"{{owner}}","token":0               }""", apiKey: apiKey);

    // A key bound to a lease.
    public static LeaseRequest PutKey(string prefix, string owner) =>
        new(
            PathOfKey(0), prefix,
            $$$"""{"value":"here","lease":{"resource":"{{{prefix}}}0000000","owner":"{{{owner}}}","token":0               }}""", "PUT");

    public static string PathOfKey(int key) => NameOf("/v1/keys/key-", key);

    public static byte[] RenewBatch(string prefix, string owner, IEnumerable<(int Name, long Token)> leases)
    {
        var items =
            leases.Select(lease => $$"""{"resource":"{{NameOf(prefix, lease.Name)}}","owner":"{{owner}}","token":{{lease.Token}}}""");
        return new LeaseRequest("/v1/leases/renew-batch", prefix, $$"""{"leases":[{{string.Join(',', items)}}]}""").Bytes;
    }

    public static string NameOf(string prefix, int name) => prefix + name.ToString("D7", CultureInfo.InvariantCulture);

    public LeaseRequest Name(int name)
    {
        Utf8Formatter.TryFormat(name, Bytes.AsSpan(_nameAt, NameDigits), out _, new('D', NameDigits));
        return this;
    }

    public LeaseRequest Key(int key)
    {
        Utf8Formatter.TryFormat(key, Bytes.AsSpan(_keyAt, NameDigits), out _, new('D', NameDigits));
        return this;
    }

    public LeaseRequest Token(long token)
    {
        Set(_tokenAt, token);
        return this;
    }

    public LeaseRequest Ttl(TimeSpan ttl)
    {
        Set(_ttlAt, (long)ttl.TotalMilliseconds);
        return this;
    }

    private static string Pad(TimeSpan ttl) => ((long)ttl.TotalMilliseconds).ToString(CultureInfo.InvariantCulture).PadRight(TokenWidth);

    private static string Waiting(TimeSpan wait) =>
        wait > TimeSpan.Zero ? string.Create(CultureInfo.InvariantCulture, $",\"waitMs\":{(long)wait.TotalMilliseconds}") : "";

    private static string Identified(string? requestId) => requestId is null ? "" : $",\"requestId\":\"{requestId}\"";

    private void Set(int at, long value)
    {
        var field = Bytes.AsSpan(at, TokenWidth);
        Utf8Formatter.TryFormat(value, field, out var length);
        field[length..].Fill((byte)' ');
    }
}
