namespace OrleansLeases.Client.Recipes;

/// <summary>The current leader. Immutable.</summary>
/// <param name="Owner">The candidate's <see cref="LeaseHandle.Owner"/>.</param>
/// <param name="Token">The token of the term.</param>
/// <param name="Metadata">Its <see cref="LeaseOptions.Metadata"/>, such as an address.</param>
public sealed record Leader(string Owner, long Token, IReadOnlyDictionary<string, string> Metadata);
