namespace OrleansLeases.Torture.Checking;

/// <summary>A call to a lease service and what came of it.</summary>
/// <param name="Invoked">When it was made.</param>
/// <param name="Returned">When its response was there.</param>
/// <param name="Request">An acquire, a renewal, a release or a transfer.</param>
/// <param name="Reply">What was told; null where it was refused.</param>
/// <param name="Refusal">Why it was refused.</param>
internal sealed record RecordedCall(TimeSpan Invoked, TimeSpan Returned, object Request, object? Reply, Refusal? Refusal)
{
    public string Resource => Request switch
    {
        AcquireRequest acquire => acquire.Resource,
        RenewRequest renewal => renewal.Resource,
        ReleaseRequest release => release.Resource,
        TransferRequest transfer => transfer.Resource,
        _ => throw new InvalidOperationException($"{Request} is no call of a lease."),
    };

    /// <summary>Whether it may have been carried out without being told.</summary>
    public bool IsOpen => Refusal is Refusal.OutcomeUnknown or Refusal.Unavailable;

    public override string ToString() => $"{Invoked} to {Returned}: {Request} -> {Reply ?? Refusal}";
}
