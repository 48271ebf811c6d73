using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace OrleansLeases.Gateway.Access;

/// <summary>
/// The hashes of API keys that were found valid, by the header that they came in. Kestrel gives all calls of a connection that send the
/// same header the same string, so that a key is hashed once for its connection. A hash goes with its string: no key is in memory for
/// longer than it is anyway, and whether it is still valid is found out by each call. Thread-safe.
/// Decision key-hash-goes-with-its-header.
/// </summary>
internal sealed class ProvenKeys
{
    private readonly ConditionalWeakTable<string, byte[]> _hashes = [];

    /// <summary>Hashes the key of a header.</summary>
    /// <param name="header">The header.</param>
    /// <param name="token">The key in it.</param>
    /// <param name="hash">Receives the hash, of <see cref="SHA256.HashSizeInBytes"/>.</param>
    public void Hash(string header, ReadOnlySpan<char> token, Span<byte> hash)
    {
        if (_hashes.TryGetValue(header, out var known)) known.CopyTo(hash);
        else ApiKeyText.Hash(token, hash);
    }

    /// <summary>Notes the hash of a header whose key is valid. Others are not worth it: they may be as many as somebody makes up.</summary>
    public void Note(string header, ReadOnlySpan<byte> hash)
    {
        if (!_hashes.TryGetValue(header, out _)) _hashes.TryAdd(header, hash.ToArray());
    }
}
