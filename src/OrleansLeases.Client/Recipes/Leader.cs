namespace OrleansLeases.Client.Recipes;

/// <summary>Who leads, as anyone can see it. Immutable.</summary>
/// <param name="Owner">The candidate's <see cref="LeaseHandle.Owner"/>.</param>
/// <param name="Token">The term's number.</param>
/// <param name="Metadata">What it says of itself by <see cref="LeaseOptions.Metadata"/>, such as its address.</param>
public sealed record Leader(string Owner, long Token, IReadOnlyDictionary<string, string> Metadata);
