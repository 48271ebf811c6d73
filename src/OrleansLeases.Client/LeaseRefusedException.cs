using System.Diagnostics.CodeAnalysis;

namespace OrleansLeases.Client;

/// <summary>The service refused a request for another reason than <see cref="Refusal.Held"/>. Immutable.</summary>
[SuppressMessage("Design", "CA1032", Justification = "There is no such exception without a refusal.")]
public sealed class LeaseRefusedException : Exception
{
    /// <summary>Creates it for a refusal.</summary>
    /// <param name="refusal">The refusal; its detail is the message.</param>
    /// <exception cref="ArgumentNullException"><paramref name="refusal"/> is null.</exception>
    public LeaseRefusedException(Refusal refusal)
        : base(refusal?.Detail)
    {
        ArgumentNullException.ThrowIfNull(refusal);
        Refusal = refusal;
    }

    /// <summary>The response of the service.</summary>
    public Refusal Refusal { get; }
}
