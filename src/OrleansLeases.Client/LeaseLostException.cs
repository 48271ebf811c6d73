using System.Diagnostics.CodeAnalysis;

namespace OrleansLeases.Client;

/// <summary>A lease was lost before the work under it had ended. Another holder may have worked since. Immutable.</summary>
[SuppressMessage("Design", "CA1032", Justification = "There is no such exception without a loss.")]
public sealed class LeaseLostException : Exception
{
    /// <summary>Creates it for a loss.</summary>
    /// <param name="loss">The loss; its detail is the message.</param>
    /// <param name="inner">The exception that the work ended with; null where there is none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="loss"/> is null.</exception>
    public LeaseLostException(LeaseLoss loss, Exception? inner = null)
        : base(loss?.Detail, inner)
    {
        ArgumentNullException.ThrowIfNull(loss);
        Loss = loss;
    }

    /// <summary>Why it was lost.</summary>
    public LeaseLoss Loss { get; }
}
