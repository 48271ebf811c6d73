namespace OrleansLeases.Grains;

/// <summary>
/// What a silo or an Orleans client shows to the others of its cluster, and whom it believes: files, which are read again within a second
/// when they change. A renewal that cannot be used leaves the old one in place.
/// </summary>
public sealed class MutualTlsOptions
{
    /// <summary>The file with the certificate, and after it those between it and the authority, as PEM.</summary>
    /// <value>To be set. Where the certificate is limited in its uses, it is for servers and for clients.</value>
    public string? Certificate { get; set; }

    /// <summary>The file with the certificate's private key, as PEM without a password.</summary>
    /// <value>To be set.</value>
    public string? Key { get; set; }

    /// <summary>
    /// The file with the certificate of the authority that signs for this cluster, as PEM; several while one authority follows another.
    /// Whoever has a certificate of it may join the cluster and call every grain, so it signs for nothing else.
    /// </summary>
    /// <value>To be set.</value>
    public string? Authority { get; set; }

    /// <summary>What the fields are below, in what says that one of them is wrong.</summary>
    internal string Section { get; set; } = $"{nameof(MutualTlsOptions)}.";
}
