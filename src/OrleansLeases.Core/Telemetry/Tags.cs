namespace OrleansLeases.Core;

/// <summary>The attributes of what is counted. None has the name of a resource, key or owner: there is no bound to their number.</summary>
internal static class Tags
{
    public const string Verb = "leases.verb";
    public const string Outcome = "leases.outcome";
    public const string End = "leases.end";
    public const string Renewal = "leases.renewal";
    public const string StoreOperation = "leases.store.operation";
    public const string Trouble = "leases.trouble";
    public const string ClockReference = "leases.clock.reference";
    public const string Limit = "leases.limit";
    public const string Refusal = "leases.refusal";

    /// <summary>The outcome of what was done.</summary>
    public const string Ok = "ok";

    /// <summary>The outcome of what its caller gave up.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>The outcome of a defect.</summary>
    public const string Error = "error";

    public static KeyValuePair<string, object?> Of(string tag, string value) => new(tag, value);
}
