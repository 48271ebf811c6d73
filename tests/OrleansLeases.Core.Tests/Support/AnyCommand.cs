namespace OrleansLeases.Core.Tests;

/// <summary>Submits commands of any kind, for histories that mix them.</summary>
internal static class AnyCommand
{
    public static Task? Submit(this LeaseKeeper keeper, LeaseCommand command, CancellationToken cancellation = default) => command switch
    {
        LeaseCommand<LeaseGrant> grant => keeper.Submit(grant, cancellation),
        LeaseCommand<LeaseRenewal> renewal => keeper.Ask(renewal),
        LeaseCommand<LeaseRelease> release => keeper.Submit(release, cancellation),
        LeaseCommand<LeaseBreak> order => keeper.Submit(order, cancellation),
        LeaseCommand<LeaseReply.Acknowledged> noted => keeper.Submit(noted, cancellation),
        LeaseCommand<LeaseReply.Unchanged> seen => keeper.Submit(seen, cancellation),
        _ => throw new ArgumentOutOfRangeException(nameof(command), command, "No history has such a command."),
    };

    /// <summary>Renews as a host does: at once where that is possible.</summary>
    public static Task<LeaseResult<LeaseRenewal>>? Ask(this LeaseKeeper keeper, LeaseCommand<LeaseRenewal> renewal) =>
        keeper.TryAnswer(renewal, out var answer) ? Task.FromResult(answer) : keeper.Submit(renewal);
}
