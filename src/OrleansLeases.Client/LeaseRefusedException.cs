using System.Diagnostics.CodeAnalysis;

namespace OrleansLeases.Client;

/// <summary>The service did not do what was asked, for a reason other than that someone else holds the resource.</summary>
[SuppressMessage("Design", "CA1032", Justification = "There is no such exception without a refusal.")]
public sealed class LeaseRefusedException : Exception
{
    /// <summary>Wraps a refusal.</summary>
    /// <param name="refusal">The refusal; its detail is the message.</param>
    /// <exception cref="ArgumentNullException"><paramref name="refusal"/> is null.</exception>
    public LeaseRefusedException(Refusal refusal)
        : base(refusal?.Detail)
    {
        ArgumentNullException.ThrowIfNull(refusal);
        Refusal = refusal;
    }

    /// <summary>What the service answered.</summary>
    public Refusal Refusal { get; }
}
