namespace OrleansLeases.Embedded;

/// <summary>Leases in this process. Dispose it to drain: waiters are told <c>unavailable</c>, saves under way finish.</summary>
public static class EmbeddedLeases;
